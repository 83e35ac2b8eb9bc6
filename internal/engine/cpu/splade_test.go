package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// randomSplade is a BERT with a vocabulary's head on it.
func randomSplade(sum, twice bool) (*model.Spec, tensorMap) {
	spec, tensors := randomModel(small, 7)
	m := &modelMaker{r: rand.New(rand.NewPCG(9, 0)), tensors: tensors}
	spec.Splade = model.Splade{
		Dense: model.Dense{Linear: m.linear("transform", small.hidden, small.hidden), Activation: model.GELU},
		Norm:  m.norm("transform.norm", small.hidden),
		Out:   model.Linear{In: small.hidden, Out: small.vocab, Weight: spec.Embedding.Tokens, Bias: m.part("bias", 1, small.vocab)},
		Sum:   sum,
		Twice: twice,
	}
	spec.Pooling = nil
	return spec, tensors
}

// spladeByHand computes the weights from the hidden states in float64.
func spladeByHand(spec *model.Spec, tensors tensorMap, tokens []float32) []float64 {
	read := func(p model.Part) []float32 {
		t, _ := p.Of(tensors)
		values := make([]float32, len(t.Data)/4)
		kernel.WidenFloat32(values, t.Data)
		return values
	}
	linear := func(l model.Linear, x []float64) []float64 {
		w, b, y := read(l.Weight), read(l.Bias), make([]float64, l.Out)
		for o := range y {
			y[o] = float64(b[o])
			for i, v := range x {
				y[o] += v * float64(w[o*l.In+i])
			}
		}
		return y
	}
	p, width := &spec.Splade, spec.Hidden
	gamma, beta := read(p.Norm.Weight), read(p.Norm.Bias)
	out := make([]float64, p.Out.Out)
	for ; len(tokens) > 0; tokens = tokens[width:] {
		x := make([]float64, width)
		for i := range x {
			x[i] = float64(tokens[i])
		}
		y := linear(p.Dense.Linear, x)
		mean, variance := 0.0, 0.0
		for i, v := range y {
			y[i] = 0.5 * v * math.Erfc(-v/math.Sqrt2)
			mean += y[i] / float64(width)
		}
		for _, v := range y {
			variance += (v - mean) * (v - mean) / float64(width)
		}
		for i, v := range y {
			y[i] = (v-mean)/math.Sqrt(variance+float64(p.Norm.Eps))*float64(gamma[i]) + float64(beta[i])
		}
		for i, logit := range linear(p.Out, y) {
			weight := math.Log1p(max(logit, 0))
			if p.Twice {
				weight = math.Log1p(weight)
			}
			if p.Sum {
				out[i] += weight
			} else {
				out[i] = max(out[i], weight)
			}
		}
	}
	return out
}

func TestSplade(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]struct{ sum, twice bool }{
		"max": {}, "sum": {sum: true}, "max, twice": {twice: true}, "sum, twice": {true, true},
	} {
		spec, tensors := randomSplade(how.sum, how.twice)
		for _, level := range kernel.Levels() {
			e, err := New(spec, tensors, Options{Threads: 2, Level: level, DType: "float32"})
			if err != nil {
				t.Fatal(err)
			}
			b := randomBatch(rand.New(rand.NewPCG(9, 1)), spec, 1, 15, 16, 17, 50)
			for i := range b.Out {
				b.Out[i].Tokens = make([]float32, len(b.Sequence(i))*spec.Hidden)
			}
			mustRun(t, e, b)
			for i, out := range b.Out {
				zeros := 0
				for j, want := range spladeByHand(spec, tensors, out.Tokens) {
					if d := math.Abs(float64(out.Vector[j]) - want); !(d <= 1e-5*(1+want)) {
						t.Fatalf("%s, level %s, sequence %d: weight %d is %g, want %g", name, level, i, j, out.Vector[j], want)
					}
					if out.Vector[j] == 0 {
						zeros++
					}
				}
				if i == 0 && (zeros == 0 || zeros == len(out.Vector)) {
					t.Errorf("%d of %d weights are 0", zeros, len(out.Vector))
				}
			}
			alone := subset(b, []int{3})
			alone.Out[0].Vector, alone.Out[0].Tokens = make([]float32, spec.Dim()), nil
			mustRun(t, e, alone)
			if !slices.Equal(alone.Out[0].Vector, b.Out[3].Vector) {
				t.Error("the weights differ alone and among others")
			}
			e.Close()
		}
	}
}
