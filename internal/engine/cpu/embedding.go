package cpu

import (
	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// embedding makes the first hidden state of a token. The token table, by far the
// largest tensor, stays in the checkpoint, mapped, and is read a row at a time.
type embedding struct {
	hidden    int
	tokens    model.Tensor
	types     kernel.Matrix // without rows: none
	positions kernel.Matrix // without rows: none
	norm      norm
	scale     float32 // of the rows of tokens
	first     int     // the position of a sequence's first token
	pad       int32   // the id that does not advance the position; -1: none
}

func (l *loader) embedding(spec *model.Spec) embedding {
	m := &spec.Embedding
	e := embedding{hidden: spec.Hidden, norm: l.norm(m.Norm, spec.Hidden), first: m.FirstPosition, pad: m.PadToken}
	if e.scale = float32(m.Scale); m.Scale == 0 {
		e.scale = 1
	}
	e.tokens, _ = l.part(m.Tokens, m.Vocab, spec.Hidden)
	if !m.TokenTypes.IsZero() {
		e.types = l.matrix(m.TokenTypes, m.TokenTypes.Rows, spec.Hidden)
	}
	if !m.Positions.IsZero() {
		e.positions = l.matrix(m.Positions, m.Positions.Rows, spec.Hidden)
	}
	return e
}

// typeCount is how many token types a batch may name. Without a table they say nothing.
func (e *embedding) typeCount() int {
	if e.types.Rows == 0 {
		return 256
	}
	return e.types.Rows
}

// sequence fills x, one row per token. types is nil when all are 0.
func (e *embedding) sequence(set *kernel.Set, x kernel.Matrix, ids []int32, types []uint8) {
	position := e.first
	for i, id := range ids {
		row := x.Row(i)
		e.token(row, int(id))
		if e.scale != 1 {
			set.Scale(row, e.scale)
		}
		if e.types.Rows > 0 {
			set.Add(row, e.types.Row(typeOf(types, i)))
		}
		if e.positions.Rows > 0 {
			set.Add(row, e.positions.Row(e.positionOf(id, position)))
		}
		if id != e.pad {
			position++
		}
	}
}

func (e *embedding) token(row []float32, id int) {
	c := converters[e.tokens.DType]
	size := e.hidden * c.bytes
	c.widen(row, e.tokens.Data[id*size:(id+1)*size])
}

func (e *embedding) positionOf(id int32, position int) int {
	if id == e.pad {
		return int(e.pad)
	}
	return position
}

func typeOf(types []uint8, i int) int {
	if types == nil {
		return 0
	}
	return int(types[i])
}
