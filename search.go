package paceline

import "github.com/paceline/paceline/internal/pipeline/similarity"

// Similarity says how alike two vectors of the same length are; more is more
// alike. It panics when b is shorter than a.
type Similarity func(a, b []float32) float64

// Cosine is the cosine of the angle between a and b, from -1 to 1, whether or
// not they have length 1; 0 when one of them is zero.
func Cosine(a, b []float32) float64 { return similarity.Cosine(a, b) }

// Dot is the inner product of a and b: their cosine when both have length 1.
func Dot(a, b []float32) float64 { return similarity.Dot(a, b) }

// Euclidean is 1 / (1 + d), d being the distance between a and b: 1 when they
// are equal, towards 0 far apart.
func Euclidean(a, b []float32) float64 { return similarity.Euclidean(a, b) }

// Match is one vector of a corpus that was searched.
type Match struct {
	Index int // into the corpus
	Score float64
}

// Search compares query with every vector of corpus and returns the k most alike,
// the best first; among equals, the earlier first.
func Search(query []float32, corpus [][]float32, k int, like Similarity) []Match {
	found := similarity.Search(query, corpus, k, similarity.Func(like))
	matches := make([]Match, len(found))
	for i, m := range found {
		matches[i] = Match(m)
	}
	return matches
}
