package model

import "fmt"

// maxStaticTokens bounds the memory that one text takes; the models themselves have
// no limit.
const maxStaticTokens = 1 << 17

// readStatic reads a table of token vectors whose mean is a text's vector:
// sentence-transformers' StaticEmbedding and model2vec, under either's tensor name.
// An encoder without layers.
func readStatic(tensors Tensors) (*Spec, error) {
	t := &checkpoint{tensors: tensors}
	for _, name := range []string{"mapping", "weights"} {
		if t.has(name) {
			return nil, fmt.Errorf("a static embedding with a tensor %q (a shared or weighed vocabulary) is %w", name, ErrUnsupported)
		}
	}
	name := "embedding.weight"
	if !t.has(name) && t.has("embeddings") {
		name = "embeddings"
	}
	table, ok := tensors.Tensor(name)
	if !ok {
		return nil, fmt.Errorf("tensor %s is missing from the checkpoint", name)
	}
	if len(table.Shape) != 2 {
		return nil, fmt.Errorf("tensor %s: shape %v; a table has two dimensions", name, table.Shape)
	}
	vocab, hidden := table.Shape[0], table.Shape[1]
	if err := firstError(inRange("vocabulary", vocab, 1, maxRows), inRange("width", hidden, 1, maxWidth)); err != nil {
		return nil, fmt.Errorf("tensor %s: %w", name, err)
	}
	return &Spec{
		Family: "static", Hidden: hidden, MaxPositions: maxStaticTokens,
		Embedding: Embedding{Vocab: vocab, Tokens: t.table(name, vocab, hidden), PadToken: -1},
	}, t.err
}
