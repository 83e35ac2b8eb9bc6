package paceline

import "github.com/paceline/paceline/internal/similarity"

// Similarity says how alike two vectors of the same length are; more is more
// alike. Those of this package panic when the lengths differ.
type Similarity func(a, b []float32) float32

// Cosine is the cosine of the angle between a and b, from -1 to 1, whether or
// not they have length 1; 0 when one of them is zero.
func Cosine(a, b []float32) float32 { return similarity.Cosine(a, b) }

// Dot is the inner product of a and b: their cosine when both have length 1.
func Dot(a, b []float32) float32 { return similarity.Dot(a, b) }

// Euclidean is 1 / (1 + d), d being the distance between a and b: 1 when they
// are equal, towards 0 far apart.
func Euclidean(a, b []float32) float32 { return similarity.Euclidean(a, b) }

// Manhattan is 1 / (1 + d), d being the sum of the values' distances.
func Manhattan(a, b []float32) float32 { return similarity.Manhattan(a, b) }

// Similarity is the measure that the model was trained for, as its repository says:
// [Cosine] if it says nothing.
func (m *Model) Similarity() Similarity {
	switch m.model.Pipeline.SimilarityName() {
	case "dot":
		return Dot
	case "euclidean":
		return Euclidean
	case "manhattan":
		return Manhattan
	}
	return Cosine
}

// Match is one vector of a corpus that was searched.
type Match struct {
	Index int // into the corpus
	Score float32
}

// Search compares query with every vector of corpus and returns the k most alike,
// the best first; among equals, the earlier first, and a score that is no number
// last. Its memory does not grow with
// the corpus.
func Search(query []float32, corpus [][]float32, k int, like Similarity) []Match {
	hits := similarity.Nearest(query, corpus, k, similarity.Measure(like))
	matches := make([]Match, len(hits))
	for i, hit := range hits {
		matches[i] = Match(hit)
	}
	return matches
}
