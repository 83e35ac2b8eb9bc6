package stat

import "math"

// Spearman returns the rank correlation of two series of equal length, tied
// values sharing their middle rank; NaN when one of them is constant or the
// lengths differ.
func Spearman(a, b []float64) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	x, y := doubledRanks(a), doubledRanks(b)
	mean := float64(len(a) + 1) // of doubled ranks, ties or not
	var xy, xx, yy float64
	for i := range x {
		dx, dy := float64(x[i])-mean, float64(y[i])-mean
		xy, xx, yy = xy+dx*dy, xx+dx*dx, yy+dy*dy
	}
	return xy / math.Sqrt(xx*yy)
}

// Cosine returns the cosine of the angle between two vectors of equal length,
// whatever their norms; NaN when a norm is zero or the lengths differ.
func Cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}
