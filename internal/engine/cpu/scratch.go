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
	x, y    kernel.Matrix // the residual stream and its next state
	normed  kernel.Matrix // what a pre-norm sublayer reads
	context kernel.Matrix // the heads' results, side by side
	wide    []float32     // a head group's queries, keys and values, or a chunk's inner values

	in, activated kernel.Activations // a sublayer's inputs, and a chunk's inner values, as products want them

	pooled, projected []float32 // a vector on its way through the dense modules
}

// prepare makes room for a block of rows tokens.
func (s *scratch) prepare(spec *model.Spec, rows int) {
	context := spec.Heads * spec.HeadDim
	wide := max(chunkColumns, 3*max(groupColumns, spec.HeadDim))
	if need := rows * (3*spec.Hidden + context + wide); len(s.arena) < need {
		s.arena = make([]float32, need)
	}
	s.rows = rows
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

// heads and inner are two uses of the same memory, never at the same time.
func (s *scratch) heads(cols int) kernel.Matrix { return kernel.NewMatrix(s.wide, s.rows, cols) }
func (s *scratch) inner(cols int) kernel.Matrix { return kernel.NewMatrix(s.wide, s.rows, cols) }
