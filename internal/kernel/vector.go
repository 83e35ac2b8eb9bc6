package kernel

// Dot returns Σ a[i]·b[i]. b is at least as long as a.
func (s *Set) Dot(a, b []float32) float32 {
	b = b[:len(a)]
	raceRead(a)
	raceRead(b)
	return s.vector.dot(a, b)
}

// Add computes dst[i] += x[i] for every element of x. dst is at least as long as x.
func (s *Set) Add(dst, x []float32) {
	dst = dst[:len(x)]
	raceRead(x)
	raceWrite(dst)
	s.vector.add(dst, x)
}

// Scale computes x[i] *= factor.
func (s *Set) Scale(x []float32, factor float32) {
	raceWrite(x)
	s.vector.scale(x, factor)
}
