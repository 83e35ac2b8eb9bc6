package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// choiceCases are small models of random weights that between them make every choice
// of attention, norm and feed-forward; the families' own vectors need fixtures.
var choiceCases = map[string]func(m *modelMaker, s *model.Spec){
	"linear biases": func(_ *modelMaker, s *model.Spec) { s.Slopes = []float64{0.25, 0.0625, 0.01} },
	"relative biases": func(m *modelMaker, s *model.Spec) {
		s.RelativeBias = model.RelativeBias{Table: m.part("relative", 1, 32, s.Heads), Buckets: 32, MaxDistance: 128}
	},
	"rotary, windowed, gated, pre-norm": func(m *modelMaker, s *model.Spec) {
		s.FinalNorm = m.norm("final", s.Hidden)
		for i := range s.Layers {
			l := &s.Layers[i]
			l.PreAttention, l.PostAttention = l.PostAttention, model.Norm{}
			l.PreFFN, l.PostFFN = l.PostFFN, model.Norm{}
			l.FFN.Gate = m.linear(fmt.Sprint("gate", i), l.FFN.Up.Out, l.FFN.Up.In)
			l.RotaryTheta, l.RotaryDivisor, l.Window = 1000, float64(1+i), 7*i
		}
	},
	"experts": func(m *modelMaker, s *model.Spec) {
		const experts, inner = 5, 390 // more than a chunk
		for i := range s.Layers {
			l, name := &s.Layers[i], fmt.Sprint("experts", i)
			up, down := m.part(name+"up", 0.3, experts*inner, s.Hidden), m.part(name+"down", 0.3, experts*inner, s.Hidden)
			mixture := model.Experts{Router: m.linear(name+"router", experts, s.Hidden), Top: 2 + i, Bias: m.part(name+"bias", 1, s.Hidden)}
			mixture.Router.Bias = model.Part{}
			for e := range experts {
				up.First, up.Rows, down.First, down.Rows = e*inner, inner, e*inner, inner
				mixture.Each = append(mixture.Each, model.FFN{Up: model.Linear{In: s.Hidden, Out: inner, Weight: up},
					Down: model.Linear{In: inner, Out: s.Hidden, Weight: down, Transposed: true}, Activation: model.GELU})
			}
			l.FFN = model.FFN{Experts: mixture}
		}
	},
	"shared keys, causal, norms everywhere": func(m *modelMaker, s *model.Spec) {
		s.KeyHeads, s.ScoreScale, s.Embedding.Scale = 1, 0.2, 3
		rms := func(name string, width int) model.Norm {
			return model.Norm{Weight: m.part(name, 0.2, width), Eps: 1e-6, RMS: true, FromOne: true}
		}
		s.Embedding.Positions, s.Embedding.TokenTypes, s.Embedding.Norm = model.Part{}, model.Part{}, model.Norm{}
		for i := range s.Layers {
			l, name := &s.Layers[i], fmt.Sprint("norms", i)
			l.Key, l.Value = m.linear(name+"k", s.HeadDim, s.Hidden), m.linear(name+"v", s.HeadDim, s.Hidden)
			l.PreAttention, l.AttentionResult, l.PostAttention = rms(name+"a", s.Hidden), rms(name+"b", s.Hidden), model.Norm{}
			l.PreFFN, l.FFNResult, l.PostFFN = rms(name+"c", s.Hidden), rms(name+"d", s.Hidden), model.Norm{}
			l.QueryNorm, l.KeyNorm = rms(name+"q", s.HeadDim), rms(name+"key", s.HeadDim)
			l.FFN.Activation = []model.Activation{model.SiLU, model.GELUTanh}[i]
			l.Causal, l.RotaryTheta, l.Window = true, 10_000, 20*i
		}
	},
}

func choiceModel(name string) (*model.Spec, tensorMap) {
	spec, tensors := randomModel(shape{vocab: 50, positions: 120, hidden: 36, heads: 3, inner: 400, layers: 2}, 3)
	choiceCases[name](&modelMaker{r: rand.New(rand.NewPCG(10, 0)), tensors: tensors}, spec)
	return spec, tensors
}

// TestChoices compares every choice with the plain forward pass, at every level, for
// sequences of one token, of the most there may be, and between.
func TestChoices(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("vectors say nothing about races")
	}
	for name := range choiceCases {
		spec, tensors := choiceModel(name)
		plain := &reference{spec, tensors}
		for _, level := range kernel.Levels() {
			e, err := New(spec, tensors, Options{Threads: 2, Level: level, DType: "float32"})
			if err != nil {
				t.Fatal(err)
			}
			b := randomBatch(rand.New(rand.NewPCG(10, 1)), spec, 1, 2, 17, 120)
			for i := range b.Out {
				b.Out[i].Tokens = make([]float32, len(b.Sequence(i))*spec.Hidden)
			}
			mustRun(t, e, b)
			for i := range b.Len() {
				worst := 0.0
				for j, want := range slices.Concat(plain.hidden(b.Sequence(i))...) {
					worst = max(worst, math.Abs(float64(b.Out[i].Tokens[j])-want)/(1+math.Abs(want)))
				}
				if !(worst <= 2e-5) {
					t.Errorf("%s at level %s: %d tokens differ by %g", name, level, len(b.Sequence(i)), worst)
				}
			}
			e.Close()
		}
	}
}

// TestChoicesCount: leaving any one of them out moves the vectors.
func TestChoicesCount(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("vectors say nothing about races")
	}
	for change, c := range map[string]struct {
		name string
		undo func(*model.Spec)
	}{
		"slopes":        {"linear biases", func(s *model.Spec) { s.Slopes[1] *= 1.1 }},
		"buckets":       {"relative biases", func(s *model.Spec) { s.RelativeBias.MaxDistance = 64 }},
		"window":        {"rotary, windowed, gated, pre-norm", func(s *model.Spec) { s.Layers[1].Window++ }},
		"divisor":       {"rotary, windowed, gated, pre-norm", func(s *model.Spec) { s.Layers[1].RotaryDivisor = 1 }},
		"fewer experts": {"experts", func(s *model.Spec) { s.Layers[1].FFN.Experts.Top = 2 }},
		"other experts": {"experts", func(s *model.Spec) {
			each := s.Layers[0].FFN.Experts.Each
			each[0], each[1] = each[1], each[0]
		}},
		"gate":           {"rotary, windowed, gated, pre-norm", func(s *model.Spec) { s.Layers[0].FFN.Gate = model.Linear{} }},
		"direction":      {"shared keys, causal, norms everywhere", func(s *model.Spec) { s.Layers[0].Causal = false }},
		"scale":          {"shared keys, causal, norms everywhere", func(s *model.Spec) { s.ScoreScale = 0 }},
		"norm of keys":   {"shared keys, causal, norms everywhere", func(s *model.Spec) { s.Layers[1].KeyNorm = model.Norm{} }},
		"norm of result": {"shared keys, causal, norms everywhere", func(s *model.Spec) { s.Layers[1].AttentionResult = model.Norm{} }},
		"weight from 1":  {"shared keys, causal, norms everywhere", func(s *model.Spec) { s.Layers[1].PreFFN.FromOne = false }},
	} {
		spec, tensors := choiceModel(c.name)
		b := randomBatch(rand.New(rand.NewPCG(10, 2)), spec, 120)
		runOnce(t, spec, tensors, b)
		before := slices.Clone(b.Out[0].Vector)
		c.undo(spec)
		runOnce(t, spec, tensors, b)
		if d := maxDifference(before, b.Out[0].Vector); d < 1e-4 {
			t.Errorf("%s: the vector moves only by %g", change, d)
		}
	}
}
