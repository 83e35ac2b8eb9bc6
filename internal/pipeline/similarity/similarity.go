// Package similarity compares embeddings: how alike two are, and which of many
// are most like one. It knows vectors only.
package similarity

import "math"

// Func says how alike two vectors of the same length are; more is more alike.
type Func func(a, b []float32) float64

// Cosine is the cosine of the angle between a and b, whatever their lengths; 0
// when one of them is zero. It lies in [-1, 1].
func Cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i, x := range a {
		x, y := float64(x), float64(b[i])
		dot += x * y
		aa += x * x
		bb += y * y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return max(-1, min(1, dot/(math.Sqrt(aa)*math.Sqrt(bb))))
}

// Dot is the inner product: the cosine when both vectors have length 1.
func Dot(a, b []float32) float64 {
	var dot float64
	for i, x := range a {
		dot += float64(x) * float64(b[i])
	}
	return dot
}

// Euclidean is 1 / (1 + the distance between a and b). It lies in (0, 1].
func Euclidean(a, b []float32) float64 {
	var sum float64
	for i, x := range a {
		d := float64(x) - float64(b[i])
		sum += d * d
	}
	return 1 / (1 + math.Sqrt(sum))
}
