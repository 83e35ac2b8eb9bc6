package kernel

import "math"

// Activation is a function applied to each output of a linear layer.
type Activation uint8

const (
	Identity  Activation = iota
	GELU                 // x·Φ(x), exact (Hendrycks and Gimpel, arXiv:1606.08415)
	GELUTanh             // its approximation by tanh, from the same paper
	SiLU                 // x/(1+e^-x)
	QuickGELU            // x/(1+e^-1.702x), another approximation of GELU from its paper
	Mish                 // x·tanh(ln(1+e^x)) (Misra, arXiv:1908.08681)
	ReLU
	Tanh
)

// activate applies a to a block of rows. Only GELU has vector kernels so far, one of
// them for results that are then rounded; the others go by the mathematics library,
// value by value.
func (s *Set) activate(a Activation, rounded bool, x []float32, rows, cols, stride int) {
	switch a {
	case Identity:
	case GELU:
		if rounded {
			s.vector.geluNear(x, rows, cols, stride)
		} else {
			s.vector.gelu(x, rows, cols, stride)
		}
	case GELUTanh:
		mapRows(x, rows, cols, stride, geluTanh)
	case SiLU:
		mapRows(x, rows, cols, stride, func(v float64) float64 { return v / (1 + math.Exp(-v)) })
	case QuickGELU:
		mapRows(x, rows, cols, stride, func(v float64) float64 { return v / (1 + math.Exp(-1.702*v)) })
	case Mish:
		mapRows(x, rows, cols, stride, func(v float64) float64 { return v * math.Tanh(math.Log1p(math.Exp(v))) })
	case ReLU:
		mapRows(x, rows, cols, stride, func(v float64) float64 { return max(v, 0) })
	case Tanh:
		mapRows(x, rows, cols, stride, math.Tanh)
	}
}

// Activate applies a to every element of x.
func (s *Set) Activate(a Activation, x []float32) {
	raceWrite(x)
	s.activate(a, false, x, 1, len(x), len(x))
}

func geluTanh(v float64) float64 {
	return 0.5 * v * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
}

func mapRows(x []float32, rows, cols, stride int, f func(float64) float64) {
	for r := range rows {
		row := x[r*stride : r*stride+cols]
		for i, v := range row {
			row[i] = float32(f(float64(v)))
		}
	}
}
