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
	team    *team // of the block it is in
	laps    *laps // nil: nobody asks where time goes

	// What the tasks of the block's present step read.
	layer   *layer
	starts  []int32
	columns int  // that a task has of the step's product
	rounded bool // inner values are made as down products want them
}

func newWorker(spec *model.Spec, set *kernel.Set, w *weights) *worker {
	return &worker{spec: spec, weights: w, set: set, core: set.NewCoreFor(w.dtype)}
}

// run implements runner.
func (w *worker) run(b *model.Batch, blk block, t *team) {
	starts := b.Starts[blk.first : blk.last+1]
	w.scratch.prepare(w.spec, w.weights.widest, int(starts[len(starts)-1]-starts[0]))
	w.team, w.starts, t.lead = t, starts, w
	w.embed(b, starts)
	for i := range w.weights.layers {
		w.mix(i)
		w.layer = &w.weights.layers[i]
		w.attend(w.layer)
		if i == len(w.weights.layers)-1 {
			w.narrow(b, blk)
		}
		w.output(w.layer)
		w.feedForward(w.layer)
	}
	w.normalize(&w.weights.final, w.scratch.x)
	w.mix(len(w.weights.layers))
	for i := blk.first; i < blk.last; i++ {
		w.emit(b, i, w.states(i-blk.first))
	}
}

// states are the last hidden states of the block's sequence i: those that were kept of them.
func (w *worker) states(i int) kernel.Matrix {
	if s := &w.scratch; len(s.kept) > 0 {
		return s.x.RowRange(i, i+1)
	}
	return sequenceRows(w.scratch.x, w.starts, i)
}

// help implements runner.
func (w *worker) help(t *team, leave func() bool) { t.help(w, leave) }

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
	w.lap(PartEmbeddings)
	w.normalize(&w.weights.embedding.norm, w.scratch.x)
}

// prepare sets a to x in the form that the packed weights m multiply.
func (w *worker) prepare(a *kernel.Activations, x kernel.Matrix, m *kernel.Weights) {
	w.set.PrepareFor(a, x, m)
	w.lap(PartEncode)
}

// feedForward computes
//
//	x = PostFFN(x + FFNResult(FFN(PreFFN(x))))
func (w *worker) feedForward(l *layer) {
	s, x := &w.scratch, w.normalized(&l.preFFN)
	switch {
	case l.experts != nil:
		w.mixture(l, x)
	case w.team.hands.Load() > 0:
		w.prepare(&s.in, x, l.chunks[0].up)
		w.shareFeedForward(l)
	default:
		w.prepare(&s.in, x, l.chunks[0].up)
		w.chunkFeedForward(s.y, w.residual(l), l.chunks, l.activation)
	}
	if l.ffnResult.isIdentity() {
		s.x, s.y = s.y, s.x
	} else {
		w.addNormalized(&l.ffnResult)
	}
	w.normalize(&l.postFFN, s.x)
}

// chunkFeedForward computes
//
//	dst = sum + Down(activation(Up(in)) * Gate(in))
//
// of the prepared inputs. It computes, uses and forgets a chunk's inner values before
// the next one's.
func (w *worker) chunkFeedForward(dst, sum kernel.Matrix, chunks []chunk, a kernel.Activation) {
	s := &w.scratch
	for i := range chunks {
		c := &chunks[i]
		w.inner(&s.activated, s.inner(dst.Rows, c.up.Out()), c, a)
		w.accumulate(dst, &s.activated, c.down, sum)
		w.lap(PartDown)
		sum = dst
	}
}

// inner sets dst to a chunk's inner values as its down product wants them. values is
// memory for them.
func (w *worker) inner(dst *kernel.Activations, values kernel.Matrix, c *chunk, a kernel.Activation) {
	s := &w.scratch
	if c.gate == nil {
		w.core.LinearFor(dst, values, &s.in, c.up, a, c.down)
		w.lap(PartUp)
		return
	}
	w.core.Linear(values, &s.in, c.up, a)
	gate := s.gate(values.Rows, c.gate.Out())
	w.core.Linear(gate, &s.in, c.gate, kernel.Identity)
	w.set.Multiply(values, gate)
	w.lap(PartUp)
	w.prepare(dst, values, c.down)
}

// residual is what the feed-forward's sum begins with: x, or nothing where a norm
// comes before x is added.
func (w *worker) residual(l *layer) kernel.Matrix {
	if l.ffnResult.isIdentity() {
		return w.scratch.x
	}
	return kernel.Matrix{}
}

// accumulate computes dst = x·Wᵀ + bias + sum; a sum without data is nothing.
func (w *worker) accumulate(dst kernel.Matrix, x *kernel.Activations, m *kernel.Weights, sum kernel.Matrix) {
	if sum.Data == nil {
		w.core.Linear(dst, x, m, kernel.Identity)
	} else {
		w.core.LinearAdd(dst, x, m, sum)
	}
}

// normalized is what a sublayer reads: x itself, or its norm aside.
func (w *worker) normalized(n *norm) kernel.Matrix {
	if n.isIdentity() {
		return w.scratch.x
	}
	n.apply(w.set, w.scratch.normed, w.scratch.x)
	w.lap(PartNorms)
	return w.scratch.normed
}

// normalize applies a norm in place.
func (w *worker) normalize(n *norm, x kernel.Matrix) {
	if !n.isIdentity() {
		n.apply(w.set, x, x)
		w.lap(PartNorms)
	}
}
