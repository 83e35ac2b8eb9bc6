package cpu

import (
	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// scratch is a worker's memory for one block, cut from one arena that grows to the
// largest block seen and is then reused.
type scratch struct {
	arena   []float32
	rows    int
	kept    []int         // which rows are left of them; none: all
	x, y    kernel.Matrix // the residual stream and its next state
	normed  kernel.Matrix // what a pre-norm sublayer reads
	context kernel.Matrix // the heads' results, side by side
	wide    []float32     // a head group's queries, keys and values, or a chunk's inner values and gate

	in, activated kernel.Activations // a sublayer's inputs, and a chunk's inner values, as products want them

	shared []float32     // the inner values of a whole feed-forward, when a team computes it
	chunks []sharedChunk // its chunks
	gates  []float32     // the gates of one task's columns

	routing routing // of a mixture of experts

	mixed             []float32 // the weighted sum of all layers' hidden states
	pooled, projected []float32 // a vector on its way through the dense modules
}

// prepare makes room for a block of rows tokens; wide is how many columns a head
// group or chunk has at most.
func (s *scratch) prepare(spec *model.Spec, wide, rows int) {
	context := spec.Heads * spec.HeadDim
	if need := rows * (3*spec.Hidden + context + wide); len(s.arena) < need {
		s.arena = make([]float32, need)
	}
	s.rows, s.kept = rows, s.kept[:0]
	rest := s.arena
	take := func(cols int) kernel.Matrix {
		m := kernel.NewMatrix(rest, rows, cols)
		rest = rest[rows*cols:]
		return m
	}
	s.x, s.y, s.normed = take(spec.Hidden), take(spec.Hidden), take(spec.Hidden)
	s.context = take(context)
	s.wide = take(wide).Data
}

// narrow forgets all rows but the first ones.
func (s *scratch) narrow(rows int) {
	s.rows = rows
	for _, m := range []*kernel.Matrix{&s.x, &s.y, &s.normed, &s.context} {
		*m = m.RowRange(0, rows)
	}
}

// sharedChunk is a chunk's inner values and what products make of them.
type sharedChunk struct {
	inner     kernel.Matrix
	activated kernel.Activations
}

// growChunks makes room for what is known of so many chunks at once.
func (s *scratch) growChunks(n int) {
	for len(s.chunks) < n {
		s.chunks = append(s.chunks, sharedChunk{})
	}
}

// prepareShared makes room for the inner values of all chunks at once.
func (s *scratch) prepareShared(chunks []chunk) {
	total := 0
	for i := range chunks {
		total += s.rows * chunks[i].up.Out()
	}
	if len(s.shared) < total {
		s.shared = make([]float32, total)
	}
	rest := s.shared
	for i := range chunks {
		cols := chunks[i].up.Out()
		s.chunks[i].inner = kernel.NewMatrix(rest, s.rows, cols)
		rest = rest[s.rows*cols:]
	}
}

// heads and inner are two uses of the same memory, never at the same time; gate lies
// behind an inner of as many columns.
func (s *scratch) heads(cols int) kernel.Matrix       { return kernel.NewMatrix(s.wide, s.rows, cols) }
func (s *scratch) inner(rows, cols int) kernel.Matrix { return kernel.NewMatrix(s.wide, rows, cols) }
func (s *scratch) gate(rows, cols int) kernel.Matrix {
	return kernel.NewMatrix(s.wide[rows*cols:], rows, cols)
}
