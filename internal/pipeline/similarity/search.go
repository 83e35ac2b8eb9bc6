package similarity

import (
	"cmp"
	"slices"
)

// Match is one vector of a corpus, by its place there.
type Match struct {
	Index int
	Score float64
}

// Search returns the k vectors of the corpus that are most like the query, the
// best first and, among equals, the earlier first. A score that is not a number
// comes last. Memory is in proportion to k.
func Search(query []float32, corpus [][]float32, k int, like Func) []Match {
	k = min(k, len(corpus))
	if k <= 0 {
		return nil
	}
	best := make([]Match, 0, k)
	for i, v := range corpus {
		m := Match{Index: i, Score: like(query, v)}
		if len(best) == k && order(m, best[k-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, m, order)
		if len(best) == k {
			best = best[:k-1]
		}
		best = slices.Insert(best, at, m)
	}
	return best
}

// order puts the better match first. To cmp.Compare a NaN is less than any number.
func order(a, b Match) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Index, b.Index))
}
