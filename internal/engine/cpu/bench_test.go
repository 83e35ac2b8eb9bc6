package cpu

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// shape is a BERT's sizes.
type shape struct{ vocab, positions, hidden, heads, inner, layers int }

// miniLM is the shape of all-MiniLM-L6-v2 with a smaller vocabulary.
var miniLM = shape{vocab: 2000, positions: 512, hidden: 384, heads: 12, inner: 1536, layers: 6}

// flops counts the multiplications and additions of one sequence's products.
func (s shape) flops(tokens int) float64 {
	linear := 2 * float64(tokens) * float64(4*s.hidden*s.hidden+2*s.hidden*s.inner)
	attention := 4 * float64(tokens) * float64(tokens) * float64(s.hidden)
	return float64(s.layers) * (linear + attention)
}

// randomModel makes a BERT of that shape with random weights.
func randomModel(s shape, seed uint64) (*model.Spec, tensorMap) {
	m := &modelMaker{r: rand.New(rand.NewPCG(seed, 0)), tensors: tensorMap{}}
	spec := &model.Spec{
		Family: "bert", Hidden: s.hidden, Heads: s.heads, HeadDim: s.hidden / s.heads, MaxPositions: s.positions,
		Embedding: model.Embedding{
			Vocab:      s.vocab,
			Tokens:     m.part("tokens", 1, s.vocab, s.hidden),
			TokenTypes: m.part("types", 0.1, 2, s.hidden),
			Positions:  m.part("positions", 0.3, s.positions, s.hidden),
			Norm:       m.norm("norm", s.hidden),
			PadToken:   -1,
		},
		Pooling: []model.PoolingMode{model.PoolMean},
	}
	for i := range s.layers {
		name := fmt.Sprintf("layer%d.", i)
		spec.Layers = append(spec.Layers, model.Layer{
			Query: m.linear(name+"q", s.hidden, s.hidden), Key: m.linear(name+"k", s.hidden, s.hidden),
			Value: m.linear(name+"v", s.hidden, s.hidden), Output: m.linear(name+"o", s.hidden, s.hidden),
			PostAttention: m.norm(name+"norm1", s.hidden), PostFFN: m.norm(name+"norm2", s.hidden),
			FFN: model.FFN{Up: m.linear(name+"up", s.inner, s.hidden), Down: m.linear(name+"down", s.hidden, s.inner), Activation: model.GELU},
		})
	}
	return spec, m.tensors
}

// modelMaker fills a checkpoint with normally distributed values.
type modelMaker struct {
	r       *rand.Rand
	tensors tensorMap
}

func (m *modelMaker) part(name string, deviation float64, shape ...int) model.Part {
	size := 1
	for _, n := range shape {
		size *= n
	}
	data := make([]byte, 0, 4*size)
	for range size {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(deviation*m.r.NormFloat64())))
	}
	m.tensors[name] = model.Tensor{DType: "F32", Shape: shape, Data: data}
	return model.Part{Name: name, Rows: shape[0]}
}

func (m *modelMaker) linear(name string, out, in int) model.Linear {
	return model.Linear{In: in, Out: out, Weight: m.part(name+".weight", 1.5/math.Sqrt(float64(in)), out, in), Bias: m.part(name+".bias", 0.1, out)}
}

func (m *modelMaker) norm(name string, width int) model.Norm {
	return model.Norm{Weight: m.part(name+".weight", 1, width), Bias: m.part(name+".bias", 0.1, width), Eps: 1e-12}
}

// randomBatch makes sequences of those lengths.
func randomBatch(r *rand.Rand, spec *model.Spec, lengths ...int) *model.Batch {
	b := &model.Batch{}
	for _, n := range lengths {
		ids := make([]int32, n)
		for i := range ids {
			ids[i] = r.Int32N(int32(spec.Embedding.Vocab))
		}
		b.Append(ids, nil, 0, model.Output{Vector: make([]float32, spec.Dim())})
	}
	return b
}

// arithmetics lists every level of this machine with every dtype it has, apart from
// the generic definitions of low precision. The first is generic float32.
func arithmetics(tb testing.TB) []Options {
	var list []Options
	for _, level := range kernel.Levels() {
		set, err := kernel.Open(level)
		if err != nil {
			tb.Fatal(err)
		}
		for _, d := range set.DTypes() {
			if level != kernel.Generic || d == kernel.Float32 {
				list = append(list, Options{Level: level, DType: string(d)})
			}
		}
	}
	return list
}

// BenchmarkForward embeds full blocks of sequences of one length with weights of
// MiniLM-L6's shape, on one worker, at every level but the generic one. Rates are
// per second of processor time; %peak is the share of this core's multiply-adds.
func BenchmarkForward(b *testing.B) {
	spec, tensors := randomModel(miniLM, 1)
	for _, o := range arithmetics(b)[1:] {
		o.Threads = 1
		e, err := New(spec, tensors, o)
		if err != nil {
			b.Fatal(err)
		}
		defer e.Close()
		for _, tokens := range []int{12, 32, 68, 128, 256} {
			lengths := make([]int, max(blockTokens/tokens, 1))
			for i := range lengths {
				lengths[i] = tokens
			}
			batch := randomBatch(rand.New(rand.NewPCG(1, 1)), spec, lengths...)
			b.Run(fmt.Sprintf("%s/%s/%d", o.Level, o.DType, tokens), func(b *testing.B) { measure(b, e, batch, tokens) })
		}
	}
}

// BenchmarkLone is the latency of one short request alone.
func BenchmarkLone(b *testing.B) {
	spec, tensors := randomModel(miniLM, 1)
	e, err := New(spec, tensors, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	batch := randomBatch(rand.New(rand.NewPCG(1, 1)), spec, 12)
	measure(b, e, batch, 12)
}

func measure(b *testing.B, e *Engine, batch *model.Batch, tokens int) {
	ceiling := peakRate(b, e.set)
	start := cpuTime(b)
	for b.Loop() {
		mustRun(b, e, batch)
	}
	used := (cpuTime(b) - start).Seconds()
	sequences := float64(b.N * batch.Len())
	rate := sequences * miniLM.flops(tokens) / used
	b.ReportMetric(sequences/used, "emb/s")
	b.ReportMetric(rate/1e9, "GFLOP/s")
	b.ReportMetric(100*rate/max(ceiling, peakRate(b, e.set)), "%peak")
}

// peakRate is a core's ceiling, in operations a second.
func peakRate(b *testing.B, s *kernel.Set) float64 {
	best := 0.0
	for range 5 {
		start := cpuTime(b)
		flops := s.Peak(8000)
		best = max(best, flops/(cpuTime(b)-start).Seconds())
	}
	return best
}

// BenchmarkNew is what an engine's start costs once the checkpoint is in memory.
func BenchmarkNew(b *testing.B) {
	spec, tensors := randomModel(miniLM, 1)
	for b.Loop() {
		e, err := New(spec, tensors, Options{})
		if err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
}
