package model

import (
	"fmt"
	"math"
)

// maxSlopedPositions bounds the table of biases that an engine makes for ALiBi,
// which no tensor's shape bounds.
const maxSlopedPositions = 1 << 16

// readJinaBERT reads JinaBERT 2 (arXiv 2310.19923; jina-bert-implementation's
// modeling_bert.py), which calls itself "bert": BERT with ALiBi in place of a
// position table and a gated feed-forward.
func readJinaBERT(c *bertConfig, tensors Tensors) (*Spec, error) {
	activation, err := c.gatedActivation()
	if err := firstError(err, inRange("max_position_embeddings", c.Positions, 1, maxSlopedPositions)); err != nil {
		return nil, err
	}
	t := newCheckpoint(tensors, "embeddings.word_embeddings.weight")
	if t.has("encoder.layer.0.attention.self.layer_norm_q.weight") {
		return nil, fmt.Errorf("JinaBERT with norms of queries and keys is %w", ErrUnsupported)
	}
	s := &Spec{
		Hidden: c.Hidden, Heads: c.Heads, HeadDim: c.Hidden / c.Heads, MaxPositions: c.Positions,
		Slopes: alibiSlopes(c.Heads),
		Embedding: Embedding{
			Vocab:      c.Vocab,
			Tokens:     t.table("embeddings.word_embeddings.weight", c.Vocab, c.Hidden),
			TokenTypes: t.table("embeddings.token_type_embeddings.weight", c.TokenTypes, c.Hidden),
			Norm:       t.norm("embeddings.LayerNorm", c.Hidden, c.Eps, true),
			PadToken:   -1,
		},
	}
	s.Layers = t.layers(c.Layers, func(t *checkpoint, i int) Layer { return c.jinaLayer(t, i, activation) })
	return s, t.err
}

func (c *bertConfig) gatedActivation() (Activation, error) {
	switch c.FFNType {
	case "geglu":
		return GELU, nil
	case "reglu":
		return ReLU, nil
	}
	return "", fmt.Errorf("feed_forward_type %q with alibi is %w (known: geglu, reglu)", c.FFNType, ErrUnsupported)
}

func (c *bertConfig) jinaLayer(t *checkpoint, i int, activation Activation) Layer {
	name := fmt.Sprintf("encoder.layer.%d.", i)
	up := t.fused(name+"mlp.gated_layers", 2, c.Inner, c.Hidden, false)
	return Layer{
		Query:         t.linear(name+"attention.self.query", c.Hidden, c.Hidden, true),
		Key:           t.linear(name+"attention.self.key", c.Hidden, c.Hidden, true),
		Value:         t.linear(name+"attention.self.value", c.Hidden, c.Hidden, true),
		Output:        t.linear(name+"attention.output.dense", c.Hidden, c.Hidden, true),
		PostAttention: t.norm(name+"attention.output.LayerNorm", c.Hidden, c.Eps, true),
		FFN: FFN{
			Up: up[0], Gate: up[1],
			Down:       t.linear(name+"mlp.wo", c.Hidden, c.Inner, true),
			Activation: activation,
		},
		PostFFN: t.norm(name+"mlp.layernorm", c.Hidden, c.Eps, true),
	}
}

// alibiSlopes are the slopes of ALiBi's paper (arXiv 2108.12409, section 3): for a
// power of two, the powers of 2^(-8/heads); else those of the next lower power of
// two, and as many as are missing of every second one of the next higher.
func alibiSlopes(heads int) []float64 {
	power := 1
	for 2*power <= heads {
		power *= 2
	}
	slopes := make([]float64, 0, heads)
	for i := 1; i <= power; i++ {
		slopes = append(slopes, math.Exp2(-8*float64(i)/float64(power)))
	}
	for i := 1; len(slopes) < heads; i += 2 {
		slopes = append(slopes, math.Exp2(-8*float64(i)/float64(2*power)))
	}
	return slopes
}
