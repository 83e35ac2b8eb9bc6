package kernel

import "math"

// DType is the arithmetic of a linear layer: how weights and inputs are kept for
// it. Sums, bias and results are float32 in each.
type DType string

const (
	Float32 DType = "float32"
	// BFloat16 rounds weights and inputs to bfloat16, 8 significant bits, and
	// multiplies them exactly.
	BFloat16 DType = "bfloat16"
)

// arithmetic is one dtype's kernels.
type arithmetic struct {
	tiles tileSet
	// pairs tells that operands hold two values in the place of one float32, which
	// narrow makes: roundUp(len(x), 16)/2 elements of dst, 0 where x has ended.
	narrow func(dst, x []float32)
}

// per is how many values an element of an operand holds.
func (a *arithmetic) per() int {
	if a.narrow == nil {
		return 1
	}
	return 2
}

// DTypes lists the arithmetics of this level, float32 first.
func (s *Set) DTypes() []DType {
	list := []DType{Float32}
	for _, d := range []DType{BFloat16} {
		if _, ok := s.linear[d]; ok {
			list = append(list, d)
		}
	}
	return list
}

// FastestDType is the fastest arithmetic of this level whose vectors keep a cosine
// of 0.999 to float32's. The generic level has BFloat16 as its definition only: it
// gains nothing there.
func (s *Set) FastestDType() DType {
	if _, ok := s.linear[BFloat16]; ok && s.level != Generic {
		return BFloat16
	}
	return Float32
}

// Activations are the inputs of linear layers as the weights of a dtype want them.
// The zero value is ready for Prepare, which reuses its memory.
type Activations struct {
	dtype  DType
	in     int
	values Matrix
	memory []float32
}

// Prepare sets a to x for layers of a dtype. For float32 that is x itself, which
// must then live as long as a is in use.
func (s *Set) Prepare(a *Activations, x Matrix, d DType) {
	a.dtype, a.in = d, x.Cols
	arithmetic := s.linear[d]
	if arithmetic.narrow == nil {
		a.values = x
		return
	}
	raceReadMatrix(x)
	cols := roundUp(x.Cols, 16) / 2
	if len(a.memory) < x.Rows*cols {
		a.memory = make([]float32, x.Rows*cols)
	}
	a.values = NewMatrix(a.memory, x.Rows, cols)
	for i := range x.Rows {
		arithmetic.narrow(a.values.Row(i), x.Row(i))
	}
}

// roundBF16 is the upper half of x's bits after rounding to the nearest bfloat16,
// ties to even. A NaN stays one.
func roundBF16(x float32) uint32 {
	bits := math.Float32bits(x)
	if x != x {
		return bits>>16 | 1<<6
	}
	return (bits + 0x7fff + bits>>16&1) >> 16
}

// narrowGeneric computes dst[i] = x[2i] and x[2i+1] as bfloat16, the first in the
// low half, for whole groups of 16 values; 0 stands where x has ended.
func narrowGeneric(dst, x []float32) {
	for i := range roundUp(len(x), 16) / 2 {
		var low, high uint32
		if 2*i < len(x) {
			low = roundBF16(x[2*i])
		}
		if 2*i+1 < len(x) {
			high = roundBF16(x[2*i+1])
		}
		dst[i] = math.Float32frombits(high<<16 | low)
	}
}

// mulPairsGeneric is mulGeneric on pairs of bfloat16.
func mulPairsGeneric(c, a, b, bias, add []float32, k, _, _, ldb, _ int) {
	for j := range 4 {
		var sum float32
		if bias != nil {
			sum = bias[j]
		}
		for i, x := range a[:k] {
			xl, xh := unpair(x)
			yl, yh := unpair(b[i*ldb+j])
			sum += xl*yl + xh*yh
		}
		if add != nil {
			sum += add[j]
		}
		c[j] = sum
	}
}

func unpair(x float32) (low, high float32) {
	bits := math.Float32bits(x)
	return math.Float32frombits(bits << 16), math.Float32frombits(bits &^ 0xffff)
}
