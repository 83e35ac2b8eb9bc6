package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/quality"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
	"github.com/paceline/paceline/internal/dataset"
)

// testExam has 100 sentences, of which each is compared with the next, scored by the
// stub's own cosine so that its vectors correlate perfectly.
func testExam() *quality.Exam {
	pairs := &dataset.Pairs{}
	sentence := func(i int) string { return fmt.Sprintf("%03d%s", i, strings.Repeat("x", i%50)) }
	for i := range 99 {
		a, b := sentence(i), sentence(i+1)
		pairs.List = append(pairs.List, dataset.Pair{A: a, B: b, Score: stat.Cosine(unit(vectorOf(a)), unit(vectorOf(b)))})
	}
	return quality.New(pairs, nil, quality.Prompts{})
}

// TestQualityThroughTheService: each stack is judged by its own vectors, whatever
// batch it takes; one that fails on the way says where and keeps its other figures.
func TestQualityThroughTheService(t *testing.T) {
	t.Parallel()
	failing := &stub{}
	breaks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		failing.mu.Lock()
		asked := len(failing.seen)
		failing.mu.Unlock()
		if asked >= 2 {
			http.Error(w, "the model is lost", http.StatusInternalServerError)
			return
		}
		failing.ServeHTTP(w, r)
	}))
	t.Cleanup(breaks.Close)
	good, small := &stub{}, &stub{Limit: 5}
	another := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct{ Texts []string }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		vectors := [][]float32{}
		for _, text := range request.Texts {
			vectors = append(vectors, []float32{1, float32(len(text) % 3), 0})
		}
		json.NewEncoder(w).Encode(map[string]any{"embeddings": vectors})
	}))
	t.Cleanup(another.Close)
	watcher := &events{}
	b := &bench{Config: Config{Exam: testExam(), Watcher: watcher}}
	for _, configured := range []Stack{good.serve(t, "good"), small.serve(t, "small"), {Name: "another", Dialect: "poc", URL: another.URL}, {Name: "failing", Dialect: "poc", URL: breaks.URL}} {
		s := &stack{Stack: configured, largest: 1000}
		var err error
		if s.driver, err = s.open(s.URL); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.driver.Close)
		b.stacks = append(b.stacks, s)
	}
	b.measureQuality(t.Context())
	of := func(i int) *record.Quality {
		q := b.stacks[i].record.Quality
		if q == nil {
			t.Fatalf("%s: no quality", b.stacks[i].Name)
		}
		return q
	}
	for i := range 2 {
		if q := of(i); q.Spearman == nil || math.Abs(*q.Spearman-100) > 1e-6 || q.Texts != 100 || q.Pairs != 99 || q.Error != "" {
			t.Errorf("%s: %+v", b.stacks[i].Name, q)
		}
	}
	if q := of(2); q.Spearman == nil || *q.Spearman > 99 {
		t.Errorf("another model's vectors: %+v, as good as the right ones", q)
	}
	if q := of(3); q.Spearman != nil || !strings.Contains(q.Error, "text 65") || !strings.Contains(q.Error, "the model is lost") || q.Texts != 64 {
		t.Errorf("failing: %+v", q)
	}
	if len(watcher.doubts) != 1 || watcher.doubts[0].Code != "quality_failed" || watcher.doubts[0].Stack != "failing" {
		t.Errorf("warnings %+v", watcher.doubts)
	}
	if n := len(watcher.stages); n < 5 || n > 12 {
		t.Errorf("%d lines of progress: %q", n, watcher.stages)
	}
	if n := good.seen[0]; n != examBatch {
		t.Errorf("%d texts at once, want %d", n, examBatch)
	}
}

// TestQualityInterrupted: half an exam is none.
func TestQualityInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &stack{Stack: (&stub{}).serve(t, "a"), largest: 8}
	var err error
	if s.driver, err = s.open(s.URL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.driver.Close)
	b := &bench{Config: Config{Exam: testExam(), Watcher: &events{}}, stacks: []*stack{s}}
	b.measureQuality(ctx)
	if q := s.record.Quality; q != nil {
		t.Errorf("%+v of an interrupted exam", q)
	}
}
