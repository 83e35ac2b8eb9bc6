package kernel

import "math"

// RMSNorm computes each row of dst as x/sqrt(mean(x²)+epsilon)·gamma (Zhang and
// Sennrich, arXiv:1910.07467). zeros is as long as gamma. dst may be x.
func (s *Set) RMSNorm(dst, x Matrix, gamma, zeros []float32, epsilon float32) {
	raceReadMatrix(x)
	raceWriteMatrix(dst)
	n := float32(x.Cols)
	for i := range x.Rows {
		row := x.Row(i)
		inverse := float32(1 / math.Sqrt(float64(s.vector.dot(row, row)/n+epsilon)))
		s.vector.normalize(dst.Row(i), row, gamma, zeros, 0, inverse)
	}
}
