package kernel

// DType is the arithmetic of a linear layer: how weights and inputs are kept for
// it. Bias and results are float32 in each.
type DType string

const (
	Float32 DType = "float32"
	// BFloat16 rounds weights and inputs to bfloat16, 8 significant bits, multiplies
	// them exactly and adds in float32.
	BFloat16 DType = "bfloat16"
	// Int16 rounds inputs to 12-bit integers with a scale a row and weights with a
	// scale an output, each for every 512 inputs, and multiplies and adds exactly.
	Int16 DType = "int16"
	// Int8 does the same with 8-bit integers.
	Int8 DType = "int8"
	// Int8GELU is Int8 for inputs that come out of GELU, none of which is below -0.17:
	// they take all of a byte's levels above it.
	Int8GELU DType = "int8 of GELU"
)

// arithmetic is one dtype's kernels and how its operands are laid out. Those of
// float32 are the values themselves. The others hold perElement values in the place
// of one float32, in pieces: as many elements as encode writes, then, for integers,
// the scale of the piece.
type arithmetic struct {
	tiles      tileSet
	blocks     *blockSet // products whose operands lie in blocks, in place of those of tiles; nil: none
	perElement int
	// encode writes the elements of (x-least)·inverse, a multiple of 8 or 16 values,
	// 0 where x has ended. nil: values stay what they are.
	encode func(dst, x []float32, inverse float32)
	// encodeRows does the same for rows, of up to piece values where there are scales, and
	// finds and writes those. nil: rows are encoded one by one.
	encodeRows func(dst, x []float32, rows, cols, ldd, stride int, shift, levels float32, zero int32)
	// largest returns the largest magnitude; nil where there are no scales.
	largest func(x []float32) float32
	// levels is how many units the largest input is above least.
	levels, least float32
	// weights are encoded by this arithmetic. nil: by the same.
	weights *arithmetic
	// narrowSums tells that products are added in 16 bits, for which weights leave room.
	narrowSums bool
	// zero is what 0 is encoded as where inputs are unsigned bytes and weights signed.
	bytes bool
	zero  int32
}

// Integers of Int16 have 12 bits, so a sum of piece products stays within 31 bits:
// 512·2047² < 2^31.
const (
	piece  = 512
	topInt = 2047
)

// Bytes of Int8 are 128 above the integer that they stand for, which is 127 at most.
const (
	zeroByte  = 128
	topByte   = 127
	leastGELU = -0.17 // GELU's least value is -0.16997
)

// span is one piece of an operand's row.
type span struct {
	from, values int // which values of the row
	at, steps    int // where their elements begin, and how many they are
}

// scaled tells whether operands are integers.
func (a *arithmetic) scaled() bool { return a.largest != nil }

// biasRows is how many rows a panel has beside its weights, for each piece: bias (of
// the first; the others' is 0), for integers the outputs' scales, for bytes what
// corrects the inputs' zero.
func (a *arithmetic) biasRows() int {
	switch {
	case a.bytes:
		return 3
	case a.scaled():
		return 2
	}
	return 1
}

// encoder is the arithmetic that encodes weights.
func (a *arithmetic) encoder() *arithmetic {
	if a.weights != nil {
		return a.weights
	}
	return a
}

// spans is how many pieces a row of in values has: at least one.
func (a *arithmetic) spans(in int) int {
	if !a.scaled() {
		return 1
	}
	return max((in+piece-1)/piece, 1)
}

// span is piece i of a row of in values: at least one step where they are encoded.
func (a *arithmetic) span(in, i int) span {
	switch {
	case a.encode == nil:
		return span{values: in, steps: in}
	case !a.scaled():
		return span{values: in, steps: a.tiles.steps(max((in+1)/2, 1))}
	}
	stride := piece/a.perElement + 16 // the scale, and the next piece at a register's start
	n := min(piece, in-i*piece)
	return span{from: i * piece, values: n, at: i * stride, steps: a.tiles.steps(max((n+a.perElement-1)/a.perElement, 1))}
}

// width is how many elements a row of in values takes.
func (a *arithmetic) width(in int) int {
	if a.encode == nil {
		return in
	}
	last := a.span(in, a.spans(in)-1)
	return last.at + max(a.encoded(last.values), last.steps) + 16
}

// encoded is how many elements encode writes for n values.
func (a *arithmetic) encoded(n int) int { return roundUp(n, 16) / a.perElement }

// noValues fill up a sum's steps.
var noValues [64]float32

// encodeRow lays out one row.
func (a *arithmetic) encodeRow(dst, x []float32) {
	for i := range a.spans(len(x)) {
		s := a.span(len(x), i)
		values, scale, inverse := x[s.from:s.from+s.values], float32(1), float32(1)
		if a.scaled() {
			scale, inverse = a.scaleOf(a.largest(values))
		}
		a.encode(dst[s.at:], values, inverse)
		if n := a.encoded(s.values); n < s.steps {
			a.encode(dst[s.at+n:], noValues[:(s.steps-n)*a.perElement], inverse)
		}
		if a.scaled() {
			dst[s.at+s.steps] = scale
		}
	}
}

// scaleOf returns the value of one unit of an integer, and its inverse, for values up
// to largest. Values all nearly 0 count as 0.
func (a *arithmetic) scaleOf(largest float32) (scale, inverse float32) {
	reach := largest - a.least
	if reach < 1e-30 {
		return 0, 0
	}
	return reach / a.levels, a.levels / reach
}

// DTypes lists the arithmetics of this level, float32 first. Where it lists Int8,
// there is Int8GELU as well.
func (s *Set) DTypes() []DType {
	list := []DType{Float32}
	for _, d := range []DType{BFloat16, Int16, Int8} {
		if _, ok := s.linear[d]; ok {
			list = append(list, d)
		}
	}
	return list
}

// allDTypes is DTypes and those that no user names.
func (s *Set) allDTypes() []DType {
	list := s.DTypes()
	if _, ok := s.linear[Int8GELU]; ok {
		list = append(list, Int8GELU)
	}
	return list
}

// Best is the fastest arithmetic of this level whose vectors keep a cosine of 0.999
// to those of float32.
func (s *Set) Best() DType { return s.best }
