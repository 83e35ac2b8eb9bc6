package paceline_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paceline/paceline"
)

func TestSimilarities(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                   string
		a, b                   []float32
		cosine, dot, euclidean float64
	}{
		{"equal", []float32{1, 0}, []float32{1, 0}, 1, 1, 1},
		{"longer, same direction", []float32{3, 4}, []float32{30, 40}, 1, 250, 1.0 / 46},
		{"opposite", []float32{1, 2}, []float32{-1, -2}, -1, -5, 1 / (1 + math.Sqrt(20))},
		{"orthogonal", []float32{2, 0}, []float32{0, 3}, 0, 0, 1 / (1 + math.Sqrt(13))},
		{"zero", []float32{0, 0}, []float32{3, 4}, 0, 0, 1.0 / 6},
		{"five values", []float32{1, 2, 3, 4, 5}, []float32{5, 4, 3, 2, 1}, 35.0 / 55, 35, 1 / (1 + math.Sqrt(40))},
		{"empty", nil, nil, 0, 0, 1},
	} {
		for _, f := range []struct {
			name string
			like paceline.Similarity
			want float64
		}{{"cosine", paceline.Cosine, c.cosine}, {"dot", paceline.Dot, c.dot}, {"euclidean", paceline.Euclidean, c.euclidean}} {
			got, back := float64(f.like(c.a, c.b)), float64(f.like(c.b, c.a))
			if math.Abs(got-f.want) > 1e-6*max(1, math.Abs(f.want)) || got != back {
				t.Errorf("%s of %s: %g and %g, want %g", f.name, c.name, got, back, f.want)
			}
		}
	}
}

// TestCosineIgnoresLength is what a dot product under that name would fail.
func TestCosineIgnoresLength(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		a, b := randomVector(r, 27), randomVector(r, 27)
		longer := make([]float32, len(b))
		for i := range b {
			longer[i] = 8 * b[i]
		}
		if x, y := paceline.Cosine(a, b), paceline.Cosine(a, longer); math.Abs(float64(x-y)) > 1e-7 {
			t.Fatalf("%g, and %g for the same direction", x, y)
		}
	}
}

func randomVector(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// TestSearchAgainstSorting compares with sorting everything, with many ties.
func TestSearchAgainstSorting(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		corpus := make([][]float32, r.IntN(40))
		for i := range corpus {
			corpus[i] = []float32{float32(r.IntN(5)), float32(r.IntN(5))}
		}
		query, k := []float32{1, 2}, r.IntN(12)
		var all []paceline.Match
		for i, v := range corpus {
			all = append(all, paceline.Match{Index: i, Score: paceline.Dot(query, v)})
		}
		slices.SortStableFunc(all, func(a, b paceline.Match) int { return int(b.Score - a.Score) })
		if got, want := paceline.Search(query, corpus, k, paceline.Dot), all[:min(k, len(all))]; !slices.Equal(got, want) {
			t.Fatalf("the best %d of %v:\n%v, want\n%v", k, corpus, got, want)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	corpus := make([][]float32, 10_000)
	for i := range corpus {
		corpus[i] = randomVector(r, 384)
	}
	query := randomVector(r, 384)
	for b.Loop() {
		paceline.Search(query, corpus, 10, paceline.Cosine)
	}
	b.ReportMetric(float64(len(corpus)*b.N)/b.Elapsed().Seconds(), "vectors/s")
}
