package model

// Batch is the flat form in which texts reach an engine: the token ids of every
// sequence one after another, without padding. Engines promise that a sequence's
// result does not depend on the others in its batch.
type Batch struct {
	IDs    []int32  // token ids, special tokens included
	Types  []uint8  // token types, parallel to IDs; nil when all are 0
	Starts []int32  // sequence i is IDs[Starts[i]:Starts[i+1]]; empty or Len()+1 values
	Skip   []int32  // per sequence: leading tokens that pooling leaves out (a prompt's)
	Out    []Output // per sequence: where its results go
}

// Output names the buffers that an engine fills for one sequence. A nil buffer
// is a result nobody asked for.
type Output struct {
	Vector []float32 // Spec.Dim() values: the pooled vector, not normalised
	Tokens []float32 // sequence length x Spec.Hidden values: the last hidden states
	Logits []float32 // len(Spec.Classifier.Labels) values: the classifier's, before any activation
}

// Len is the number of sequences.
func (b *Batch) Len() int { return len(b.Out) }

// Sequence returns the token ids of sequence i.
func (b *Batch) Sequence(i int) []int32 { return b.IDs[b.Starts[i]:b.Starts[i+1]] }

// Append adds one sequence. types is nil when all its token types are 0.
func (b *Batch) Append(ids []int32, types []uint8, skip int, out Output) {
	if len(b.Starts) == 0 {
		b.Starts = append(b.Starts, 0)
	}
	if types != nil || b.Types != nil {
		b.appendTypes(types, len(ids))
	}
	b.IDs = append(b.IDs, ids...)
	b.Starts = append(b.Starts, int32(len(b.IDs)))
	b.Skip = append(b.Skip, int32(skip))
	b.Out = append(b.Out, out)
}

func (b *Batch) appendTypes(types []uint8, n int) {
	for len(b.Types) < len(b.IDs) {
		b.Types = append(b.Types, 0)
	}
	if types == nil {
		types = make([]uint8, n)
	}
	b.Types = append(b.Types, types...)
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.IDs, b.Starts, b.Skip = b.IDs[:0], b.Starts[:0], b.Skip[:0]
	b.Types = nil
	clear(b.Out) // drop the callers' buffers
	b.Out = b.Out[:0]
}
