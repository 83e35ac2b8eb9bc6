package cpu

import (
	"fmt"

	"github.com/paceline/paceline/internal/model"
)

// check refuses a batch that would read or write outside its arrays or the model's
// tables, so that workers need not look.
func (e *Engine) check(b *model.Batch) error {
	if err := e.checkLayout(b); err != nil {
		return err
	}
	for i, id := range b.IDs {
		if id < 0 || int(id) >= e.spec.Embedding.Vocab {
			return fmt.Errorf("token %d of the batch has id %d; the model knows 0 to %d", i, id, e.spec.Embedding.Vocab-1)
		}
	}
	for i, t := range b.Types {
		if int(t) >= e.weights.embedding.typeCount() {
			return fmt.Errorf("token %d of the batch has type %d; the model has %d types", i, t, e.weights.embedding.typeCount())
		}
	}
	return nil
}

func (e *Engine) checkLayout(b *model.Batch) error {
	n := b.Len()
	switch {
	case n == 0:
		return nil
	case len(b.Starts) != n+1 || b.Starts[0] != 0 || int(b.Starts[n]) != len(b.IDs):
		return fmt.Errorf("batch of %d sequences and %d tokens: Starts must be %d values from 0 to %d", n, len(b.IDs), n+1, len(b.IDs))
	case len(b.Types) != 0 && len(b.Types) != len(b.IDs):
		return fmt.Errorf("batch of %d tokens has %d token types", len(b.IDs), len(b.Types))
	case len(b.Skip) != 0 && len(b.Skip) != n:
		return fmt.Errorf("batch of %d sequences has %d values of Skip", n, len(b.Skip))
	}
	for i := range n {
		if err := e.checkSequence(b, i); err != nil {
			return fmt.Errorf("sequence %d of the batch: %w", i, err)
		}
	}
	return nil
}

func (e *Engine) checkSequence(b *model.Batch, i int) error {
	n, out := int(b.Starts[i+1])-int(b.Starts[i]), b.Out[i]
	switch {
	case n < 1 && len(e.spec.Layers) > 0: // the mean of no token vectors is zero
		return fmt.Errorf("%d tokens; it needs at least 1", n)
	case n > e.spec.MaxPositions:
		return fmt.Errorf("%d tokens; the model takes at most %d", n, e.spec.MaxPositions)
	case out.Vector != nil && len(out.Vector) != e.spec.Dim():
		return fmt.Errorf("output of %d values; a vector has %d", len(out.Vector), e.spec.Dim())
	case out.Tokens != nil && len(out.Tokens) != n*e.spec.Hidden:
		return fmt.Errorf("output of %d values for tokens; %d tokens have %d", len(out.Tokens), n, n*e.spec.Hidden)
	case out.Logits != nil && len(out.Logits) != len(e.spec.Classifier.Labels):
		return fmt.Errorf("output of %d values for logits; the model has %d labels", len(out.Logits), len(e.spec.Classifier.Labels))
	case len(b.Skip) != 0 && b.Skip[i] < 0:
		return fmt.Errorf("skip is %d", b.Skip[i])
	}
	return nil
}
