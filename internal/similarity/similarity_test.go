package similarity

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestMeasures(t *testing.T) {
	t.Parallel()
	a, b := []float32{3, 4, 0, 0, 0}, []float32{0, 5, 0, 0, 12}
	for name, want := range map[string]float32{"dot": 20, "cosine": 20. / 65, "euclidean": float32(1 / (1 + math.Sqrt(9+1+144)))} {
		m, err := ByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := m(a, b); math.Abs(float64(got-want)) > 1e-6 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if _, err := ByName("manhattan"); err == nil {
		t.Error("an unknown measure must be an error")
	}
	if got := Cosine([]float32{0, 0}, []float32{1, 0}); got != 0 {
		t.Errorf("the cosine with a zero vector: %v", got)
	}
}

func vectors(dim int) *rapid.Generator[[]float32] {
	return rapid.SliceOfN(rapid.Float32Range(-10, 10), dim, dim)
}

// TestCosineKnowsNoLength: a cosine stays when a vector is scaled, lies within
// [-1, 1], and is 1 with itself; a dot product has none of that.
func TestCosineKnowsNoLength(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 40).Draw(t, "dim")
		a, b := vectors(dim).Draw(t, "a"), vectors(dim).Draw(t, "b")
		cosine := Cosine(a, b)
		if cosine < -1 || cosine > 1 {
			t.Fatalf("%v", cosine)
		}
		scaled := make([]float32, dim)
		for i, x := range a {
			scaled[i] = 8 * x
		}
		if got := Cosine(scaled, b); got != cosine {
			t.Fatalf("%v, scaled %v", cosine, got)
		}
		if self := Cosine(a, a); dot(a, a) > 0 && self != 1 {
			t.Fatalf("with itself: %v", self)
		}
	})
}

// TestNearestIsSorting: the k best of a corpus are the first k of all, sorted.
func TestNearestIsSorting(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		corpus := rapid.SliceOf(vectors(2)).Draw(t, "corpus")
		k := rapid.IntRange(0, 12).Draw(t, "k")
		query := []float32{1, 0}
		all := make([]Hit, len(corpus))
		for i, v := range corpus {
			all[i] = Hit{i, Dot(query, v)}
		}
		slices.SortStableFunc(all, func(a, b Hit) int {
			switch {
			case a.Score > b.Score:
				return -1
			case a.Score < b.Score:
				return 1
			}
			return 0
		})
		got := Nearest(query, corpus, k, Dot)
		if want := all[:min(k, len(all))]; !slices.Equal(got, want) {
			t.Fatalf("got %v want %v", got, want)
		}
	})
}

func BenchmarkCosine(b *testing.B) {
	v := make([]float32, 384)
	for i := range v {
		v[i] = float32(i)
	}
	for b.Loop() {
		Cosine(v, v)
	}
}

// TestNearestNaN: a score that is no number is no reason to keep a hit, wherever in
// the corpus it stands.
func TestNearestNaN(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	for _, corpus := range [][][]float32{{{nan}, {1}, {2}, {3}}, {{1}, {nan}, {2}, {3}}, {{1}, {2}, {3}, {nan}}} {
		for k, want := range [][]float32{1: {3}, 2: {3, 2}, 3: {3, 2, 1}} {
			got := Nearest([]float32{1}, corpus, k, Dot)
			for i, hit := range got {
				if hit.Score != want[i] {
					t.Errorf("%v, k %d: %v", corpus, k, got)
				}
			}
		}
		if last := Nearest([]float32{1}, corpus, 4, Dot)[3]; !math.IsNaN(float64(last.Score)) {
			t.Errorf("%v: the last is %v", corpus, last)
		}
	}
}

// TestDifferentLengths have no likeness, either way round.
func TestDifferentLengths(t *testing.T) {
	t.Parallel()
	for _, name := range Methods {
		m, _ := ByName(name)
		for _, pair := range [][2][]float32{{{1}, {1, 2}}, {{1, 2}, {1}}} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s of %v and %v", name, pair[0], pair[1])
					}
				}()
				m(pair[0], pair[1])
			}()
		}
	}
}
