package kernel

// Rotate turns each row of x, whose halves are a and b, by angles of its own
// (Su et al., arXiv:2104.09864, halves rotated against each other):
//
//	a, b = a·cos - b·sin, b·cos + a·sin
//
// Row i of cos and sin belongs to row i of x; they have half as many columns, and at
// least as many rows.
func (s *Set) Rotate(x, cos, sin Matrix) {
	raceReadMatrix(cos)
	raceReadMatrix(sin)
	raceWriteMatrix(x)
	half := x.Cols / 2
	for i := range x.Rows {
		row := x.Row(i)
		rotate(row[:half], row[half:], cos.Row(i), sin.Row(i))
	}
}

func rotate(a, b, cos, sin []float32) {
	b, cos, sin = b[:len(a)], cos[:len(a)], sin[:len(a)]
	for i, x := range a {
		y := b[i]
		a[i] = x*cos[i] - y*sin[i]
		b[i] = y*cos[i] + x*sin[i]
	}
}
