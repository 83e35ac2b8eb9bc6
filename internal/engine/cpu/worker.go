package cpu

import (
	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// worker takes blocks through the model, one at a time, in scratch of its own.
type worker struct {
	spec    *model.Spec
	weights *weights
	set     *kernel.Set
	core    *kernel.Core
	scratch scratch
}

func newWorker(spec *model.Spec, set *kernel.Set, w *weights) *worker {
	return &worker{spec: spec, weights: w, set: set, core: set.NewCore()}
}

// run implements runner.
func (w *worker) run(b *model.Batch, blk block) {
	starts := b.Starts[blk.first : blk.last+1]
	w.scratch.prepare(w.spec, int(starts[len(starts)-1]-starts[0]))
	w.embed(b, starts)
	for i := range w.weights.layers {
		w.attention(&w.weights.layers[i], starts)
		w.feedForward(&w.weights.layers[i])
	}
	w.normalize(&w.weights.final, w.scratch.x)
	for i := blk.first; i < blk.last; i++ {
		w.emit(b, i, sequenceRows(w.scratch.x, starts, i-blk.first))
	}
}

// sequenceRows is the part of m that belongs to the block's sequence i.
func sequenceRows(m kernel.Matrix, starts []int32, i int) kernel.Matrix {
	return m.RowRange(int(starts[i]-starts[0]), int(starts[i+1]-starts[0]))
}

func (w *worker) embed(b *model.Batch, starts []int32) {
	for i := range len(starts) - 1 {
		var types []uint8
		if len(b.Types) > 0 {
			types = b.Types[starts[i]:starts[i+1]]
		}
		x := sequenceRows(w.scratch.x, starts, i)
		w.weights.embedding.sequence(w.set, x, b.IDs[starts[i]:starts[i+1]], types)
	}
	w.normalize(&w.weights.embedding.norm, w.scratch.x)
}

// attention computes x = PostAttention(x + Output(Attention(PreAttention(x)))).
func (w *worker) attention(l *layer, starts []int32) {
	s := &w.scratch
	w.prepare(&s.in, w.normalized(&l.preAttention))
	for i := range l.groups {
		g := &l.groups[i]
		qkv := s.heads(g.qkv.Out())
		w.core.Linear(qkv, &s.in, g.qkv, kernel.Identity)
		w.attendGroup(g, qkv, starts)
	}
	w.prepare(&s.in, s.context)
	w.core.LinearAdd(s.x, &s.in, l.output, s.x)
	w.normalize(&l.postAttention, s.x)
}

// prepare sets a to x in the form that the packed weights multiply.
func (w *worker) prepare(a *kernel.Activations, x kernel.Matrix) {
	w.set.Prepare(a, x, w.weights.dtype)
}

func (w *worker) attendGroup(g *headGroup, qkv kernel.Matrix, starts []int32) {
	dim, width := w.spec.HeadDim, g.heads*w.spec.HeadDim
	for s := range len(starts) - 1 {
		rows := sequenceRows(qkv, starts, s)
		out := sequenceRows(w.scratch.context, starts, s)
		for h := range g.heads {
			from := h * dim
			to := (g.first + h) * dim
			w.core.Attention(out.ColumnRange(to, to+dim),
				rows.ColumnRange(from, from+dim),
				rows.ColumnRange(width+from, width+from+dim),
				rows.ColumnRange(2*width+from, 2*width+from+dim))
		}
	}
}

// feedForward computes x = PostFFN(x + Down(activation(Up(PreFFN(x))))).
func (w *worker) feedForward(l *layer) {
	s := &w.scratch
	w.prepare(&s.in, w.normalized(&l.preFFN))
	residual := s.x
	for i := range l.chunks {
		c := &l.chunks[i]
		inner := s.inner(c.up.Out())
		w.core.Linear(inner, &s.in, c.up, l.activation)
		w.prepare(&s.activated, inner)
		w.core.LinearAdd(s.y, &s.activated, c.down, residual)
		residual = s.y
	}
	s.x, s.y = s.y, s.x
	w.normalize(&l.postFFN, s.x)
}

// normalized is what a sublayer reads: x itself, or its norm aside.
func (w *worker) normalized(n *norm) kernel.Matrix {
	if n.isIdentity() {
		return w.scratch.x
	}
	w.set.LayerNorm(w.scratch.normed, w.scratch.x, n.gamma, n.beta, n.epsilon)
	return w.scratch.normed
}

// normalize applies a norm in place.
func (w *worker) normalize(n *norm, x kernel.Matrix) {
	if !n.isIdentity() {
		w.set.LayerNorm(x, x, n.gamma, n.beta, n.epsilon)
	}
}
