package bench

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/paceline/paceline/internal/bench/driver"
)

// TestStratify: the same texts with their tokens, and the mean length of every
// stretch of 32 is off by less than a twentieth of the range of lengths, however
// skewed they are. (In random order that is one standard deviation: one stretch in
// three would fail.)
func TestStratify(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "texts")
		skew := rapid.Float64Range(0.3, 3).Draw(t, "skew")
		var texts Texts
		for i := range n {
			length := 10 + int(300*math.Pow(float64(i)/float64(n), skew))
			texts.Texts = append(texts.Texts, strings.Repeat("x", length))
			texts.Tokens = append(texts.Tokens, int32(length))
		}
		s := texts.stratify()
		if !slices.Equal(slices.Sorted(slices.Values(s.Texts)), slices.Sorted(slices.Values(texts.Texts))) {
			t.Fatal("not the same texts")
		}
		for i := range s.Texts {
			if int(s.Tokens[i]) != len(s.Texts[i]) {
				t.Fatalf("text %d has another's tokens", i)
			}
		}
		mean := float64(len(strings.Join(s.Texts, ""))) / float64(n)
		for i := 0; i+32 <= n; i++ {
			if part := float64(len(strings.Join(s.Texts[i:i+32], ""))) / 32; math.Abs(part-mean) > 300.0/20 {
				t.Fatalf("texts %d to %d have a mean length of %g, all have %g", i, i+32, part, mean)
			}
		}
	})
}

// TestBatches: requests take the texts in turn, from the first on, and again from
// the first when they are through.
func TestBatches(t *testing.T) {
	t.Parallel()
	d, err := driver.Open("poc", "http://127.0.0.1:1", driver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	texts := Texts{Texts: []string{"a", "b", "c"}, Tokens: []int32{1, 2, 4}}
	list, err := texts.batches(d, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	var tokens []int
	for _, b := range list {
		if b.Texts != 2 {
			t.Errorf("a request of %d texts", b.Texts)
		}
		tokens = append(tokens, b.tokens)
	}
	if want := []int{1 + 2, 4 + 1, 2 + 4}; !slices.Equal(tokens, want) {
		t.Errorf("tokens %v, want %v", tokens, want)
	}
	if list, err := texts.batches(d, 1, 100_000); err != nil || len(list) != mostBatches {
		t.Errorf("%d requests were encoded, %v", len(list), err)
	}
}
