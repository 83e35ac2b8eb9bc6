package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// attention is softmax(q·kᵀ)·v with base 2, in float64.
func attention(q, k, v Matrix) []float64 {
	var out []float64
	for i := range q.Rows {
		weights, largest := make([]float64, k.Rows), math.Inf(-1)
		for j := range k.Rows {
			for d, x := range q.Row(i) {
				weights[j] += float64(x) * float64(k.Row(j)[d])
			}
			largest = math.Max(largest, weights[j])
		}
		total, sums := 0.0, make([]float64, v.Cols)
		for j, w := range weights {
			w = math.Exp2(w - largest)
			total += w
			for d, x := range v.Row(j) {
				sums[d] += w * float64(x)
			}
		}
		for _, sum := range sums {
			out = append(out, sum/total)
		}
	}
	return out
}

// attentionTolerance is loose beside the rounding of scores of size about 30, which
// is what these inputs have, and tight beside any mistake.
const attentionTolerance = 2e-5

// weightRounding is the relative error of a softmax weight that is rounded to
// bfloat16, twice over.
const weightRounding = 1.0 / (1 << 8)

func tryAttention(core *Core, r *rand.Rand, tokens, dim int) error {
	qkv, _ := newMatrix(r, tokens, 3*dim, r.IntN(20), r.IntN(16))
	out, alive := newMatrix(r, tokens, dim, r.IntN(20), r.IntN(16))
	q, k, v := qkv.ColumnRange(0, dim), qkv.ColumnRange(dim, 2*dim), qkv.ColumnRange(2*dim, 3*dim)
	core.Attention(out, q, k, v)
	want := attention(core.rounded(q), core.rounded(k), core.rounded(v))
	return firstOf(within(flat(out), want, core.attentionBound(v, attentionTolerance, len(want))), alive())
}

// rounded is m as c's products inside attention see it.
func (c *Core) rounded(m Matrix) Matrix {
	if c.attend.narrow == nil {
		return m
	}
	return rounded(m, BFloat16)
}

// operands are a head's queries, keys and values as c's products over whole sequences see
// them.
func (c *Core) operands(q, k, v Matrix) (Matrix, Matrix, Matrix) {
	if c.attend != c.set.attend[Int16] {
		return c.rounded(q), c.rounded(k), c.rounded(v)
	}
	const ofValues = 2047
	most := math.Floor(math.Sqrt((1<<31 - 1) / float64(q.Cols))) // of queries and keys
	keys := columnLargest(k)
	largest := 0.0 // of the queries multiplied by those
	for i, x := range columnLargest(q) {
		largest = max(largest, x*keys[i])
	}
	queries := make([]float64, q.Cols)
	for i := range queries {
		queries[i] = largest / keys[i]
	}
	return inUnits(q, queries, most), inUnits(k, keys, most), inUnits(v, columnLargest(v), ofValues)
}

// columnLargest returns the largest magnitude of each column, 2^-40 at least.
func columnLargest(m Matrix) []float64 {
	largest := slices.Repeat([]float64{0x1p-40}, m.Cols)
	for r := range m.Rows {
		for i, x := range m.Row(r) {
			largest[i] = max(largest[i], math.Abs(float64(x)))
		}
	}
	return largest
}

// inUnits returns m rounded, each column to units of which so many make its largest.
func inUnits(m Matrix, largest []float64, units float64) Matrix {
	y := NewMatrix(flat(m), m.Rows, m.Cols)
	for i, x := range y.Data {
		unit := largest[i%m.Cols] / units
		y.Data[i] = float32(math.RoundToEven(float64(x)/unit) * unit)
	}
	return y
}

// attentionBound is n times the tolerance, plus what rounded weights of v may add.
func (c *Core) attentionBound(v Matrix, tolerance float64, n int) []float64 {
	if c.attend != c.set.attend[Float32] {
		largest := float32(0)
		for i := range v.Rows {
			largest = max(largest, largestGeneric(v.Row(i)))
		}
		tolerance += weightRounding * float64(largest)
	}
	return slices.Repeat([]float64{tolerance}, n)
}

// eachAttention runs a suite for every arithmetic of attention that a level has.
func eachAttention(t *testing.T, suite func(t *testing.T, s *Set, core *Core)) {
	eachLevel(t, func(t *testing.T, s *Set) {
		for _, d := range []DType{Float32, Int16, BFloat16} {
			if core := s.NewCoreFor(d); core.attend == s.attend[d] {
				t.Run(string(d), func(t *testing.T) { suite(t, s, core) })
			}
		}
	})
}

// TestAttentionRounds: the tolerance for rounded operands would not pass for float32.
func TestAttentionRounds(t *testing.T) {
	t.Parallel()
	s, r := generic(), rand.New(rand.NewPCG(3, 4))
	m, _ := newMatrix(r, 40, 32, 0, 0)
	exact, rounded := NewMatrix(make([]float32, 40*32), 40, 32), NewMatrix(make([]float32, 40*32), 40, 32)
	s.NewCoreFor(Float32).Attention(exact, m, m, m)
	s.NewCoreFor(BFloat16).Attention(rounded, m, m, m)
	if within(flat(rounded), widen(flat(exact)), slices.Repeat([]float64{attentionTolerance}, 40*32)) == nil {
		t.Error("nothing was rounded")
	}
}

func widen(x []float32) []float64 {
	var y []float64
	for _, v := range x {
		y = append(y, float64(v))
	}
	return y
}

func TestAttention(t *testing.T) {
	t.Parallel()
	eachAttention(t, func(t *testing.T, _ *Set, core *Core) {
		r := rand.New(rand.NewPCG(3, 1))
		for _, dim := range []int{1, 4, 12, 16, 31, 32, 33, 64, 80} {
			for _, tokens := range []int{1, 2, 3, 11, 12, 13, 31, 32, 33, 65, 100} {
				if err := tryAttention(core, r, tokens, dim); err != nil {
					t.Fatalf("%d tokens, head of %d: %v", tokens, dim, err)
				}
			}
		}
		for _, tokens := range []int{keyBlock - 1, keyBlock, keyBlock + 1, 2*keyBlock + 7} {
			if err := tryAttention(core, r, tokens, 32); err != nil {
				t.Fatalf("%d tokens: %v", tokens, err)
			}
		}
	})
}

// TestAttentionRaisesTheLargest puts the largest score into the last block of keys,
// so that all that was gathered before must be corrected.
func TestAttentionRaisesTheLargest(t *testing.T) {
	t.Parallel()
	eachAttention(t, func(t *testing.T, _ *Set, core *Core) {
		r := rand.New(rand.NewPCG(3, 2))
		const tokens, dim = keyBlock + 5, 32
		q, _ := newMatrix(r, tokens, dim, 0, 0)
		k, _ := newMatrix(r, tokens, dim, 0, 0)
		v, _ := newMatrix(r, tokens, dim, 0, 0)
		copy(k.Row(tokens-1), q.Row(7)) // query 7 meets itself
		out, alive := newMatrix(r, tokens, dim, 0, 0)
		core.Attention(out, q, k, v)
		want := attention(core.rounded(q), core.rounded(k), core.rounded(v))
		if err := firstOf(within(flat(out), want, core.attentionBound(v, attentionTolerance, len(want))), alive()); err != nil {
			t.Error(err)
		}
	})
}

func TestAttentionAllocatesOnce(t *testing.T) {
	eachSerial(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(3, 3))
		core := s.NewCore()
		m, _ := newMatrix(r, 40, 12, 0, 0)
		out, _ := newMatrix(r, 40, 12, 0, 0)
		core.Attention(out, m, m, m)
		if n := testing.AllocsPerRun(10, func() { core.Attention(out, m, m, m) }); n != 0 {
			t.Errorf("%v allocations a call", n)
		}
	})
}

// eachSerial is eachLevel for what parallel tests would disturb.
func eachSerial(t *testing.T, suite func(t *testing.T, s *Set)) {
	for _, r := range ladder() {
		t.Run(string(r.level), func(t *testing.T) { suite(t, r.make()) })
	}
}
