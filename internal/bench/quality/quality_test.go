package quality

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/paceline/paceline/internal/dataset"
)

// TestNDCG: trec_eval's figures, of test/statistics/ndcg.py, with ties, documents
// that nobody judged, and judged ones that are not found.
func TestNDCG(t *testing.T) {
	t.Parallel()
	var cases []struct {
		Judged map[string]int
		Scores map[string]float64
		NDCG10 float64
	}
	text, err := os.ReadFile("testdata/ndcg.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) < 10 {
		t.Fatal(len(cases), err)
	}
	differ := 0
	for i, c := range cases {
		var right, wrong ranking
		for id, score := range c.Scores {
			right.add(found{id, float32(score)})
			wrong.add(found{id, -float32(score)})
		}
		if got := right.ndcg(c.Judged); math.Abs(got-c.NDCG10) > 1e-12 {
			t.Errorf("case %d: %v, trec_eval says %v", i, got, c.NDCG10)
		}
		if math.Abs(wrong.ndcg(c.Judged)-c.NDCG10) > 1e-3 {
			differ++
		}
	}
	if differ < len(cases)/2 {
		t.Errorf("upside down only %d of %d rankings differ: the test sees little", differ, len(cases))
	}
}

// TestRankingIsSorted: the ranking is the head of all documents in order, in
// whatever order they come.
func TestRankingIsSorted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) found {
			return found{rapid.StringMatching(`[a-c]{1,3}`).Draw(t, "id"), float32(rapid.IntRange(-2, 2).Draw(t, "score"))}
		}), 0, 30, func(f found) string { return f.id }).Draw(t, "documents")
		var r ranking
		for _, f := range all {
			r.add(f)
		}
		slices.SortFunc(all, func(a, b found) int {
			if a.before(b) {
				return -1
			}
			return 1
		})
		if want := all[:min(depth, len(all))]; !slices.Equal([]found(r), want) {
			t.Fatalf("%v, want %v", r, want)
		}
	})
}

// exam has two queries, of which one finds its document first and one second, and
// three pairs.
func exam() *Exam {
	pairs := &dataset.Pairs{List: []dataset.Pair{{A: "up", B: "up too", Score: 5}, {A: "up", B: "right", Score: 1}, {A: "up", B: "between", Score: 3}}}
	return New(pairs, &dataset.Retrieval{
		Name:      "tiny",
		Documents: []dataset.Document{{ID: "1", Text: "up"}, {ID: "2", Text: " "}, {ID: "3", Text: "right"}},
		Queries:   []dataset.Document{{ID: "a", Text: "up"}, {ID: "b", Text: "right"}},
		Judged:    map[string]map[string]int{"a": {"1": 1}, "b": {"1": 2, "2": 1}},
	}, Prompts{"q: ", "d: "})
}

var vectors = map[string][]float32{
	"q: up": {0, 1}, "q: right": {1, 0.1}, "d: up": {0, 2}, "d: right": {3, 0},
	"up": {0, 1}, "up too": {0, 5}, "right": {1, 0}, "between": {1, 1},
}

func TestSitting(t *testing.T) {
	t.Parallel()
	e := exam()
	want := []string{"q: up", "q: right", "d: up", "d: right", "up", "up too", "right", "between"}
	if !slices.Equal(e.Texts(), want) {
		t.Fatalf("asks %q, want %q: prompts before, no text without a character, no sentence twice", e.Texts(), want)
	}
	s := e.Sit()
	for len(s.Left()) > 0 {
		part := s.Left()[:min(3, len(s.Left()))]
		var list [][]float32
		for _, text := range part {
			list = append(list, vectors[text])
		}
		s.Answer(list)
	}
	q := s.Result()
	// Query b: grades 2 at rank 2, the ideal is 2 at rank 1 and 1 at rank 2.
	second := (2 / math.Log2(3)) / (2 + 1/math.Log2(3))
	if got, want := *q.NDCG10, 100*(1+second)/2; math.Abs(got-want) > 1e-9 {
		t.Errorf("nDCG %v, want %v", got, want)
	}
	if math.Abs(*q.Spearman-100) > 1e-9 {
		t.Errorf("Spearman %v of cosines in the order of the scores", *q.Spearman)
	}
	q.NDCG10, q.Spearman = nil, nil
	if q.Texts != 8 || q.Pairs != 3 || q.Documents != 3 || q.Queries != 2 || q.Dataset != "tiny" {
		t.Errorf("%+v", q)
	}
}

// TestZeroVectors find nothing.
func TestZeroVectors(t *testing.T) {
	t.Parallel()
	e := exam()
	s := e.Sit()
	for range e.Texts() {
		s.Answer([][]float32{{0, 0}})
	}
	if q := s.Result(); *q.NDCG10 != 0 || q.Spearman != nil || q.Error == "" {
		t.Errorf("%+v of vectors of length 0: want an nDCG of 0, no correlation and the reason", q)
	}
}

// TestParts: each part can be left out.
func TestParts(t *testing.T) {
	t.Parallel()
	s := New(nil, nil, Prompts{}).Sit()
	if q := s.Result(); !reflect.ValueOf(q).IsZero() {
		t.Errorf("%+v of nothing", q)
	}
}
