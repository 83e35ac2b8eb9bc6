package kernel

// Multiply computes dst = dst·x, element by element: the gate of a gated
// feed-forward (Shazeer, arXiv:2002.05202). x is of dst's size.
func (s *Set) Multiply(dst, x Matrix) {
	raceReadMatrix(x)
	raceWriteMatrix(dst)
	for i := range dst.Rows {
		s.vector.multiply(dst.Row(i), dst.Row(i), x.Row(i))
	}
}
