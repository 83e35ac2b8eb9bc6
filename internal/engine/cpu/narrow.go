package cpu

import "github.com/paceline/paceline/internal/model"

// Where poolings read one token's last hidden state alone, the first one's or the last one's,
// the last layer computes no other: attention wants every token's keys and values, but
// what follows it, three quarters of a layer's products, is for those rows only.

// narrow leaves of the block's hidden states, and of what attention has just made of them, the
// rows that outputs are made of, if that is one of each sequence.
func (w *worker) narrow(b *model.Batch, blk block) {
	s := &w.scratch
	if s.kept = w.rowsRead(s.kept[:0], b, blk); len(s.kept) == 0 {
		return
	}
	for to, from := range s.kept { // none goes where one is that has not gone yet
		copy(s.x.Row(to), s.x.Row(from))
		copy(s.context.Row(to), s.context.Row(from))
	}
	s.narrow(len(s.kept))
}

// rowsRead appends which of the block's rows outputs are made of, one of each sequence; none
// where some sequence's are made of several.
func (w *worker) rowsRead(rows []int, b *model.Batch, blk block) []int {
	for i := blk.first; i < blk.last; i++ {
		row, one := w.rowRead(b, i)
		if !one {
			return rows[:0]
		}
		rows = append(rows, int(b.Starts[i]-b.Starts[blk.first])+row)
	}
	return rows
}

// rowRead is the only row of sequence i that its outputs are made of; false: there are more,
// or none.
func (w *worker) rowRead(b *model.Batch, i int) (row int, one bool) {
	out, rows := &b.Out[i], len(b.Sequence(i))
	if rows == 0 || out.Tokens != nil || w.spec.LayerMix != nil {
		return 0, false
	}
	if out.Vector != nil {
		if row, one = rowPooled(w.spec, rows, skipped(b, i)); !one || out.Logits == nil {
			return row, one
		}
	}
	labelled, one := rowOf(w.spec.Classifier.Pooling, rows, 0)
	return labelled, one && (out.Vector == nil || labelled == row)
}

// rowPooled is the only row that a sequence's vector is made of.
func rowPooled(spec *model.Spec, rows, skip int) (row int, one bool) {
	for n, mode := range spec.Pooling {
		r, alone := rowOf(mode, rows, skip)
		if !alone || n > 0 && r != row {
			return 0, false
		}
		row = r
	}
	return row, len(spec.Pooling) > 0 && spec.Splade.IsZero()
}

// rowOf is the only row that a pooling reads.
func rowOf(mode model.PoolingMode, rows, skip int) (row int, one bool) {
	switch mode {
	case model.PoolCLS:
		return skip, true
	case model.PoolLast:
		return rows - 1, true
	}
	return 0, false
}
