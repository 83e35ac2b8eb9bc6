package cpu

import (
	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// classifier makes a sequence's logits. Without out there is none.
type classifier struct {
	pooling model.PoolingMode
	dense   dense
	norm    norm
	out     dense
}

func (l *loader) classifier(spec *model.Spec) classifier {
	c := &spec.Classifier
	if c.IsZero() {
		return classifier{}
	}
	return classifier{
		pooling: c.Pooling,
		dense:   dense{linear: l.packFloat32(c.Dense.Linear), activation: activations[c.Dense.Activation]},
		norm:    l.norm(c.Norm, c.Dense.Linear.Out),
		out:     dense{linear: l.packFloat32(c.Out), activation: kernel.Identity},
	}
}

// classify fills dst with the logits of the sequence whose last hidden states are x.
func (w *worker) classify(dst []float32, x kernel.Matrix) {
	c, s := &w.weights.labels, &w.scratch
	s.pooled = resize(s.pooled, x.Cols)
	poolers[c.pooling](w.set, s.pooled, x, 0)
	s.projected = resize(s.projected, c.dense.linear.Out())
	w.apply(&c.dense, s.projected, s.pooled)
	w.normalize(&c.norm, kernel.NewMatrix(s.projected, 1, len(s.projected)))
	w.apply(&c.out, dst, s.projected)
}
