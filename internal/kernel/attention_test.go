package kernel

import (
	"math"
	"math/rand/v2"
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

func tryAttention(core *Core, r *rand.Rand, tokens, dim int) error {
	qkv, _ := newMatrix(r, tokens, 3*dim, r.IntN(20), r.IntN(16))
	out, alive := newMatrix(r, tokens, dim, r.IntN(20), r.IntN(16))
	q, k, v := qkv.ColumnRange(0, dim), qkv.ColumnRange(dim, 2*dim), qkv.ColumnRange(2*dim, 3*dim)
	core.Attention(out, q, k, v)
	want := attention(q, k, v)
	bound := make([]float64, len(want))
	for i := range bound {
		bound[i] = attentionTolerance
	}
	return firstOf(within(flat(out), want, bound), alive())
}

func TestAttention(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(3, 1))
		core := s.NewCore()
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
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(3, 2))
		const tokens, dim = keyBlock + 5, 32
		q, _ := newMatrix(r, tokens, dim, 0, 0)
		k, _ := newMatrix(r, tokens, dim, 0, 0)
		v, _ := newMatrix(r, tokens, dim, 0, 0)
		copy(k.Row(tokens-1), q.Row(7)) // query 7 meets itself
		out, alive := newMatrix(r, tokens, dim, 0, 0)
		s.NewCore().Attention(out, q, k, v)
		want := attention(q, k, v)
		bound := make([]float64, len(want))
		for i := range bound {
			bound[i] = attentionTolerance
		}
		if err := firstOf(within(flat(out), want, bound), alive()); err != nil {
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
