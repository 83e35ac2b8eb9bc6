package cpu

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/paceline/paceline/internal/model"
)

// randomModernBERT makes layers as ModernBERT has them: of three, one that attends to
// everything and two to 64 tokens on each side.
func randomModernBERT(s shape) (*model.Spec, tensorMap) {
	m := &modelMaker{r: rand.New(rand.NewPCG(8, 0)), tensors: tensorMap{}}
	spec := &model.Spec{
		Family: "modernbert", Hidden: s.hidden, Heads: s.heads, HeadDim: s.hidden / s.heads, MaxPositions: s.positions,
		Embedding: model.Embedding{
			Vocab: s.vocab, Tokens: m.part("tokens", 1, s.vocab, s.hidden), Norm: m.norm("norm", s.hidden), PadToken: -1,
		},
		FinalNorm: m.norm("final", s.hidden),
		Pooling:   []model.PoolingMode{model.PoolMean},
	}
	for i := range s.layers {
		name := fmt.Sprintf("layer%d.", i)
		l := model.Layer{
			Query: m.linear(name+"q", s.hidden, s.hidden), Key: m.linear(name+"k", s.hidden, s.hidden),
			Value: m.linear(name+"v", s.hidden, s.hidden), Output: m.linear(name+"o", s.hidden, s.hidden),
			PreAttention: m.norm(name+"norm1", s.hidden), PreFFN: m.norm(name+"norm2", s.hidden),
			FFN: model.FFN{
				Up: m.linear(name+"up", s.inner, s.hidden), Gate: m.linear(name+"gate", s.inner, s.hidden),
				Down: m.linear(name+"down", s.hidden, s.inner), Activation: model.GELU,
			},
			RotaryTheta: 160_000,
		}
		if i%3 != 0 {
			l.Window, l.RotaryTheta = 64, 10_000
		}
		spec.Layers = append(spec.Layers, l)
	}
	return spec, m.tensors
}

// TestLongSequence holds the memory of a first run over 8,192 tokens to a multiple of
// the length: a matrix of all scores of one head would be 256 MiB.
func TestLongSequence(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's own memory is counted too")
	}
	const tokens = 8192
	s := shape{vocab: 100, positions: tokens, hidden: 64, heads: 2, inner: 96, layers: 3}
	spec, tensors := randomModernBERT(s)
	e, err := New(spec, tensors, Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	b := randomBatch(rand.New(rand.NewPCG(8, 1)), spec, tokens)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	mustRun(t, e, b)
	runtime.ReadMemStats(&after)
	bytes := after.TotalAlloc - before.TotalAlloc
	// The residual stream three times, the heads' results, the widest step, and the
	// angles: some 700 values a token; others' tests may run beside this one.
	if limit := uint64(tokens * 4 * 2000); bytes > limit {
		t.Errorf("%d tokens took %d MiB; at most %d", tokens, bytes>>20, limit>>20)
	}
	if c := cosine(b.Out[0].Vector, b.Out[0].Vector); !(c > 0.99) {
		t.Errorf("the vector is not finite: %v", b.Out[0].Vector[:4])
	}
}

// TestWindowForgets: behind local layers alone, a token further away than they reach
// together changes nothing at all, and a nearer one does.
func TestWindowForgets(t *testing.T) {
	t.Parallel()
	for layers, moves := range map[int]map[int]bool{
		1: {1: true, 64: true, 65: false, 999: false},
		3: {100: true, 3*64 + 1: false, 999: false},
	} {
		spec, tensors := randomModernBERT(shape{vocab: 100, positions: 1000, hidden: 32, heads: 2, inner: 48, layers: layers})
		for i := range spec.Layers {
			spec.Layers[i].Window = 64
		}
		spec.Pooling = []model.PoolingMode{model.PoolCLS}
		e, err := New(spec, tensors, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		for at, want := range moves {
			b := randomBatch(rand.New(rand.NewPCG(8, 2)), spec, 1000)
			mustRun(t, e, b)
			before := append([]float32{}, b.Out[0].Vector...)
			b.IDs[at] = (b.IDs[at] + 1) % 100
			mustRun(t, e, b)
			if d := maxDifference(before, b.Out[0].Vector); (d != 0) != want {
				t.Errorf("%d layers: token %d moves the first token's state by %g", layers, at, d)
			}
		}
	}
}

// BenchmarkLong is one period of ModernBERT-base's layers, on one worker, by length;
// with the memory of a first run.
func BenchmarkLong(b *testing.B) {
	spec, tensors := randomModernBERT(shape{vocab: 1000, positions: 8192, hidden: 768, heads: 12, inner: 1152, layers: 3})
	for _, tokens := range []int{512, 2048, 8192} {
		b.Run(fmt.Sprint(tokens), func(b *testing.B) {
			e, err := New(spec, tensors, Options{Threads: 1})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			batch := randomBatch(rand.New(rand.NewPCG(8, 3)), spec, tokens)
			b.ReportAllocs()
			for b.Loop() {
				mustRun(b, e, batch)
			}
			b.ReportMetric(float64(tokens)*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
