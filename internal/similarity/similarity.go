// Package similarity compares embeddings: the measures that the dialects offer,
// and the search for the nearest.
//
// It knows vectors only, neither texts nor requests. Its results do not depend
// on whether vectors were normalised before, unless the measure itself does.
package similarity

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"slices"
)

// Measure says how alike two vectors of one length are; more is more alike. Vectors
// of different lengths have no likeness: the measures of this package panic.
type Measure func(a, b []float32) float32

// Methods are the names that ByName knows.
var Methods = []string{"cosine", "euclidean", "dot"}

// ByName returns the measure of that name.
func ByName(name string) (Measure, error) {
	switch name {
	case "cosine":
		return Cosine, nil
	case "euclidean":
		return Euclidean, nil
	case "dot":
		return Dot, nil
	}
	return nil, fmt.Errorf("unknown similarity method %q: it must be one of %q", name, Methods)
}

// Dot is the dot product.
func Dot(a, b []float32) float32 {
	mustMatch(a, b)
	return float32(dot(a, b))
}

func mustMatch(a, b []float32) {
	if len(a) != len(b) {
		panic(fmt.Sprintf("similarity of vectors of %d and %d values", len(a), len(b)))
	}
}

// Cosine is the cosine of the angle between a and b, whatever their lengths; 0 if
// one of them is zero.
func Cosine(a, b []float32) float32 {
	mustMatch(a, b)
	squares := dot(a, a) * dot(b, b)
	if squares == 0 {
		return 0
	}
	return float32(max(-1, min(dot(a, b)/math.Sqrt(squares), 1)))
}

// Euclidean is 1/(1+d) where d is the distance between a and b.
func Euclidean(a, b []float32) float32 {
	mustMatch(a, b)
	var sum float64
	for i, x := range a {
		d := float64(x) - float64(b[i])
		sum += d * d
	}
	return float32(1 / (1 + math.Sqrt(sum)))
}

// Manhattan is 1/(1+d) where d is the sum of the values' distances.
func Manhattan(a, b []float32) float32 {
	mustMatch(a, b)
	var sum float64
	for i, x := range a {
		sum += math.Abs(float64(x) - float64(b[i]))
	}
	return float32(1 / (1 + sum))
}

// dot sums in float64 over four chains, so that neither rounding nor latency
// weighs.
func dot(a, b []float32) float64 {
	var s [4]float64
	n := len(a) &^ 3
	for i := 0; i < n; i += 4 {
		x, y := a[i:i+4:i+4], b[i:i+4:i+4]
		s[0] += float64(x[0]) * float64(y[0])
		s[1] += float64(x[1]) * float64(y[1])
		s[2] += float64(x[2]) * float64(y[2])
		s[3] += float64(x[3]) * float64(y[3])
	}
	for i := n; i < len(a); i++ {
		s[0] += float64(a[i]) * float64(b[i])
	}
	return s[0] + s[1] + s[2] + s[3]
}

// Hit is one result of a search.
type Hit struct {
	Index int // in the corpus
	Score float32
}

// Nearest returns the k vectors of the corpus most like the query, best first;
// of equals the earlier. A score that is no number is the worst. It keeps k hits at a time, however large the corpus.
func Nearest(query []float32, corpus [][]float32, k int, m Measure) []Hit {
	best := hits{}
	for i, v := range corpus {
		hit := Hit{i, m(query, v)}
		switch {
		case len(best) < k:
			heap.Push(&best, hit)
		case k > 0 && best[0].worse(hit):
			best[0] = hit
			heap.Fix(&best, 0)
		}
	}
	slices.SortFunc(best, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Index, b.Index))
	})
	return best
}

// hits is a heap with the worst hit on top.
type hits []Hit

func (a Hit) worse(b Hit) bool {
	return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(b.Index, a.Index)) < 0 // NaN comes before all numbers
}

func (h hits) Len() int           { return len(h) }
func (h hits) Less(i, j int) bool { return h[i].worse(h[j]) }
func (h hits) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *hits) Push(x any)        { *h = append(*h, x.(Hit)) }
func (h *hits) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
