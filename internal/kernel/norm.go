package kernel

import "math"

// LayerNorm computes each row of dst as (x-mean)/sqrt(variance+epsilon)·gamma + beta
// (Ba et al., arXiv:1607.06450), mean and variance being those of the row of x. The
// variance is summed after the mean is known, so a large mean costs no accuracy.
// dst may be x.
func (s *Set) LayerNorm(dst, x Matrix, gamma, beta []float32, epsilon float32) {
	raceReadMatrix(x)
	raceWriteMatrix(dst)
	if x.Rows > 0 && s.vector.layerNorm != nil {
		s.vector.layerNorm(dst.Data, x.Data, gamma, beta, x.Rows, x.Cols, dst.Stride, x.Stride, epsilon)
		return
	}
	n := float32(x.Cols)
	for i := range x.Rows {
		row := x.Row(i)
		mean := s.vector.sum(row) / n
		variance := s.vector.deviation(row, mean) / n
		inverse := float32(1 / math.Sqrt(float64(variance+epsilon)))
		s.vector.normalize(dst.Row(i), row, gamma, beta, mean, inverse)
	}
}

// Norm is the Euclidean length of x.
func (s *Set) Norm(x []float32) float32 { return float32(math.Sqrt(float64(s.Dot(x, x)))) }

// Normalize divides x by its Euclidean length, or by 1e-12 where it is shorter, as
// torch.nn.functional.normalize does.
func (s *Set) Normalize(x []float32) { s.Scale(x, 1/max(s.Norm(x), 1e-12)) }
