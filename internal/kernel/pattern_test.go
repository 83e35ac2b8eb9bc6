package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// attentionIn is softmax(q·kᵀ + bias)·v over the keys that sees lets through, with
// base 2, in float64, query by query.
func attentionIn(q, k, v Matrix, bias []float32, sees func(query, key int) bool) []float64 {
	var out []float64
	for i := range q.Rows {
		total, sums := 0.0, make([]float64, v.Cols)
		for j := range k.Rows {
			if !sees(i, j) {
				continue
			}
			score := 0.0
			for d, x := range q.Row(i) {
				score += float64(x) * float64(k.Row(j)[d])
			}
			if bias != nil {
				score += float64(bias[len(bias)/2+j-i])
			}
			w := math.Exp2(score)
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

func abs(n int) int { return max(n, -n) }

// patternCases state in one line each what their pattern means.
var patternCases = map[string]struct {
	pattern Pattern
	biased  bool
	sees    func(query, key int) bool
}{
	"full":              {Pattern{}, false, func(_, _ int) bool { return true }},
	"window 1":          {Pattern{Window: 1}, false, func(q, k int) bool { return abs(q-k) <= 1 }},
	"window 64":         {Pattern{Window: 64}, false, func(q, k int) bool { return abs(q-k) <= 64 }},
	"causal":            {Pattern{Causal: true}, false, func(q, k int) bool { return k <= q }},
	"causal, window 5":  {Pattern{Causal: true, Window: 5}, false, func(q, k int) bool { return k <= q && q-k <= 5 }},
	"bias":              {Pattern{}, true, func(_, _ int) bool { return true }},
	"bias, window 300":  {Pattern{Window: 300}, true, func(q, k int) bool { return abs(q-k) <= 300 }},
	"causal and biased": {Pattern{Causal: true}, true, func(q, k int) bool { return k <= q }},
}

func tryPattern(core *Core, r *rand.Rand, name string, tokens, dim int, spoil func(*Pattern)) error {
	c := patternCases[name]
	p := c.pattern
	if c.biased {
		p.Bias = newBuffer(r, 2*(tokens+r.IntN(3))+1, r.IntN(16)).x
	}
	qkv, _ := newMatrix(r, tokens, 3*dim, r.IntN(20), r.IntN(16))
	for i := range qkv.Rows {
		for j := range qkv.Row(i)[:dim] {
			qkv.Row(i)[j] /= float32(math.Sqrt(float64(dim))) // scores of the size that models have
		}
	}
	out, alive := newMatrix(r, tokens, dim, r.IntN(20), r.IntN(16))
	q, k, v := qkv.ColumnRange(0, dim), qkv.ColumnRange(dim, 2*dim), qkv.ColumnRange(2*dim, 3*dim)
	want := attentionIn(core.rounded(q), core.rounded(k), core.rounded(v), p.Bias, c.sees)
	if spoil != nil {
		spoil(&p)
	}
	core.AttentionIn(out, q, k, v, &p)
	return firstOf(within(flat(out), want, core.attentionBound(v, patternTolerance, len(want))), alive())
}

// patternTolerance is for scores of size about 5: their rounding moves a weight by
// some 1e-6 of itself.
const patternTolerance = 5e-6

func TestAttentionIn(t *testing.T) {
	t.Parallel()
	eachAttention(t, func(t *testing.T, _ *Set, core *Core) {
		r := rand.New(rand.NewPCG(5, 1))
		for name := range patternCases {
			for _, dim := range []int{2, 16, 24, 64} {
				for _, tokens := range []int{1, 2, 11, 13, 33, 65, 100, keyBlock, keyBlock + 1, 2*keyBlock + 75} {
					if tokens > 100 && dim != 24 {
						continue
					}
					if err := tryPattern(core, r, name, tokens, dim, nil); err != nil {
						t.Fatalf("%s: %d tokens, head of %d: %v", name, tokens, dim, err)
					}
				}
			}
		}
	})
}

// TestAttentionInSeesMistakes: a pattern off by one key fails in every block.
func TestAttentionInSeesMistakes(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Pattern){
		"window 64":         func(p *Pattern) { p.Window++ },
		"window 1":          func(p *Pattern) { p.Window = 0 },
		"causal":            func(p *Pattern) { p.Causal = false },
		"bias":              func(p *Pattern) { p.Bias = append([]float32{0, 0}, p.Bias...) },
		"causal and biased": func(p *Pattern) { p.Bias = nil },
	} {
		if tryPattern(generic().NewCore(), rand.New(rand.NewPCG(5, 2)), name, 100, 16, spoil) == nil {
			t.Errorf("%s: a spoiled pattern passed", name)
		}
	}
}

func TestAttentionInAllocatesOnce(t *testing.T) {
	eachSerial(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(5, 3))
		core := s.NewCore()
		m, _ := newMatrix(r, 40, 12, 0, 0)
		out, _ := newMatrix(r, 40, 12, 0, 0)
		p := &Pattern{Window: 3, Bias: newBuffer(r, 101, 0).x}
		core.AttentionIn(out, m, m, m, p)
		if n := testing.AllocsPerRun(10, func() { core.AttentionIn(out, m, m, m, p) }); n != 0 {
			t.Errorf("%v allocations a call", n)
		}
	})
}
