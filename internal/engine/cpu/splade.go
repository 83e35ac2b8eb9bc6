package cpu

import (
	"math"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// splade scores the vocabulary for each hidden state. Without out there is none.
type splade struct {
	dense *kernel.Weights // activation apart
	act   kernel.Activation
	norm  norm
	out   *kernel.Weights
	sum   bool
	twice bool
}

// spladeRows is how many tokens' logits there are at a time: a row is as wide as the
// vocabulary.
const spladeRows = 16

func (l *loader) splade(spec *model.Spec) splade {
	p := &spec.Splade
	if p.IsZero() {
		return splade{}
	}
	return splade{
		dense: l.packFloat32(p.Dense.Linear),
		act:   activations[p.Dense.Activation],
		norm:  l.norm(p.Norm, spec.Hidden),
		out:   l.packFloat32(p.Out),
		sum:   p.Sum,
		twice: p.Twice,
	}
}

// weigh fills dst, as wide as the vocabulary, from the last hidden states x.
func (w *worker) weigh(dst []float32, x kernel.Matrix) {
	p, s := &w.weights.splade, &w.scratch
	clear(dst) // a logit below 0 weighs nothing
	s.pooled = resize(s.pooled, spladeRows*x.Cols)
	s.projected = resize(s.projected, spladeRows*len(dst))
	for from := 0; from < x.Rows; from += spladeRows {
		rows := x.RowRange(from, min(from+spladeRows, x.Rows))
		hidden, logits := kernel.NewMatrix(s.pooled, rows.Rows, x.Cols), kernel.NewMatrix(s.projected, rows.Rows, len(dst))
		w.set.Prepare(&s.in, rows, kernel.Float32)
		w.core.Linear(hidden, &s.in, p.dense, p.act)
		w.normalize(&p.norm, hidden)
		w.set.Prepare(&s.in, hidden, kernel.Float32)
		w.core.Linear(logits, &s.in, p.out, kernel.Identity)
		p.gather(dst, logits)
	}
	if !p.sum {
		for i, v := range dst {
			dst[i] = p.saturate(v)
		}
	}
}

// gather adds some tokens' logits. The largest is kept as it is until the end: the
// logarithm keeps the order.
func (p *splade) gather(dst []float32, logits kernel.Matrix) {
	for i := range logits.Rows {
		for j, v := range logits.Row(i) {
			if p.sum {
				dst[j] += p.saturate(v)
			} else {
				dst[j] = max(dst[j], v)
			}
		}
	}
}

// saturate is log(1 + max(v, 0)), once or twice.
func (p *splade) saturate(v float32) float32 {
	if v <= 0 {
		return 0
	}
	weight := math.Log1p(float64(v))
	if p.twice {
		weight = math.Log1p(weight)
	}
	return float32(weight)
}
