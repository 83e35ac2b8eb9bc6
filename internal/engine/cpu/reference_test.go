package cpu

import (
	"cmp"
	"math"
	"slices"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// reference runs any Spec the plain way, token by token and in float64, from the
// words of package model alone.
type reference struct {
	spec    *model.Spec
	tensors tensorMap
}

func (r *reference) read(p model.Part) []float64 {
	t, ok := p.Of(r.tensors)
	if !ok {
		return nil
	}
	values := make([]float32, len(t.Data)/4)
	kernel.WidenFloat32(values, t.Data)
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out
}

func (r *reference) row(p model.Part, i int) []float64 {
	all := r.read(p)
	width := len(all) / p.Rows
	return all[i*width : (i+1)*width]
}

func (r *reference) linear(l model.Linear, x []float64) []float64 {
	w, b, y := r.read(l.Weight), r.read(l.Bias), make([]float64, l.Out)
	for o := range y {
		if b != nil {
			y[o] = b[o]
		}
		for i, v := range x {
			if l.Transposed {
				y[o] += v * w[i*l.Out+o]
			} else {
				y[o] += v * w[o*l.In+i]
			}
		}
	}
	return y
}

func (r *reference) norm(n model.Norm, x []float64) []float64 {
	if n.IsZero() {
		return x
	}
	gamma, beta, mean, variance := r.read(n.Weight), r.read(n.Bias), 0.0, 0.0
	if !n.RMS {
		for _, v := range x {
			mean += v / float64(len(x))
		}
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x))
	}
	y := make([]float64, len(x))
	for i, v := range x {
		if n.FromOne {
			gamma[i]++
		}
		y[i] = (v - mean) / math.Sqrt(variance+float64(n.Eps)) * gamma[i]
		if beta != nil {
			y[i] += beta[i]
		}
	}
	return y
}

func sum(a, b []float64) []float64 {
	y := make([]float64, len(a))
	for i := range a {
		y[i] = a[i] + b[i]
	}
	return y
}

func activated(a model.Activation, x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		switch a {
		case model.GELU:
			y[i] = 0.5 * v * math.Erfc(-v/math.Sqrt2)
		case model.GELUTanh:
			y[i] = 0.5 * v * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
		case model.SiLU:
			y[i] = v / (1 + math.Exp(-v))
		case model.QuickGELU:
			y[i] = v / (1 + math.Exp(-1.702*v))
		case model.Mish:
			y[i] = v * math.Tanh(math.Log1p(math.Exp(v)))
		case model.ReLU:
			y[i] = max(v, 0)
		}
	}
	return y
}

// hidden is the last hidden states of one sequence.
func (r *reference) hidden(ids []int32) [][]float64 {
	e := &r.spec.Embedding
	x := make([][]float64, len(ids))
	for i, id := range ids {
		x[i] = r.row(e.Tokens, int(id))
		for j := range x[i] {
			if e.Scale != 0 {
				x[i][j] *= e.Scale
			}
		}
		if !e.TokenTypes.IsZero() {
			x[i] = sum(x[i], r.row(e.TokenTypes, 0))
		}
		if !e.Positions.IsZero() {
			x[i] = sum(x[i], r.row(e.Positions, e.FirstPosition+i))
		}
		x[i] = r.norm(e.Norm, x[i])
	}
	for n := range r.spec.Layers {
		x = r.layer(&r.spec.Layers[n], x)
	}
	for i := range x {
		x[i] = r.norm(r.spec.FinalNorm, x[i])
	}
	return x
}

func (r *reference) layer(l *model.Layer, x [][]float64) [][]float64 {
	attended, y := r.attention(l, x), make([][]float64, len(x))
	for i := range x {
		y[i] = r.norm(l.PostAttention, sum(x[i], r.norm(l.AttentionResult, r.linear(l.Output, attended[i]))))
		y[i] = r.norm(l.PostFFN, sum(y[i], r.norm(l.FFNResult, r.feedForward(&l.FFN, r.norm(l.PreFFN, y[i])))))
	}
	return y
}

func (r *reference) feedForward(f *model.FFN, x []float64) []float64 {
	if !f.Experts.IsZero() {
		return r.experts(&f.Experts, x)
	}
	inner := activated(f.Activation, r.linear(f.Up, x))
	if !f.Gate.Weight.IsZero() {
		for j, g := range r.linear(f.Gate, x) {
			inner[j] *= g
		}
	}
	return r.linear(f.Down, inner)
}

// experts ranks the experts and adds the first few's results.
func (r *reference) experts(e *model.Experts, x []float64) []float64 {
	p, total, order := r.linear(e.Router, x), 0.0, make([]int, len(e.Each))
	for i := range p {
		p[i] = math.Exp(p[i])
		total += p[i]
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(p[j], p[i]) })
	y := r.read(e.Bias)
	for _, i := range order[:e.Top] {
		for j, v := range r.feedForward(&e.Each[i], x) {
			y[j] += p[i] / total * v
		}
	}
	return y
}

// attention is the heads' results, side by side.
func (r *reference) attention(l *model.Layer, x [][]float64) [][]float64 {
	s, dim := r.spec, r.spec.HeadDim
	q, k, v := make([][]float64, len(x)), make([][]float64, len(x)), make([][]float64, len(x))
	for i := range x {
		in := r.norm(l.PreAttention, x[i])
		q[i] = r.place(l, l.QueryNorm, r.linear(l.Query, in), i)
		k[i] = r.place(l, l.KeyNorm, r.linear(l.Key, in), i)
		v[i] = r.linear(l.Value, in)
	}
	scale := s.ScoreScale
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(dim))
	}
	out := make([][]float64, len(x))
	for i := range x {
		for h := range s.Heads {
			shared := h / s.SharedBy() * dim
			head, total := make([]float64, dim), 0.0
			for j := range x {
				if l.Causal && j > i || l.Window > 0 && max(i-j, j-i) > l.Window {
					continue
				}
				score := 0.0
				for d := range dim {
					score += scale * q[i][h*dim+d] * k[j][shared+d]
				}
				w := math.Exp(score + r.bias(h, j-i))
				total += w
				for d := range dim {
					head[d] += w * v[j][shared+d]
				}
			}
			for _, sum := range head {
				out[i] = append(out[i], sum/total)
			}
		}
	}
	return out
}

// place normalises each head of a token's queries or keys and turns it to position.
func (r *reference) place(l *model.Layer, n model.Norm, x []float64, position int) []float64 {
	dim, half := r.spec.HeadDim, r.spec.HeadDim/2
	var out []float64
	for ; len(x) > 0; x = x[dim:] {
		head := append([]float64{}, r.norm(n, x[:dim])...)
		for j := 0; j < half && l.RotaryTheta != 0; j++ {
			angle := float64(position) / math.Pow(l.RotaryTheta, float64(2*j)/float64(dim)) / max(l.RotaryDivisor, 1)
			sin, cos := math.Sincos(angle)
			head[j], head[half+j] = head[j]*cos-head[half+j]*sin, head[half+j]*cos+head[j]*sin
		}
		out = append(out, head...)
	}
	return out
}

func (r *reference) bias(head, distance int) float64 {
	switch b := &r.spec.RelativeBias; {
	case !b.Table.IsZero():
		return r.row(b.Table, bucket(b, distance))[head]
	case r.spec.Slopes != nil:
		return -r.spec.Slopes[head] * math.Abs(float64(distance))
	}
	return 0
}
