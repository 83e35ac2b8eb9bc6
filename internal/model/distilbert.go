package model

import "fmt"

// distilBERTEps is a constant of modeling_distilbert.py.
const distilBERTEps = 1e-12

type distilBERTConfig struct {
	Hidden     int       `json:"dim"`
	Layers     int       `json:"n_layers"`
	Heads      int       `json:"n_heads"`
	Inner      int       `json:"hidden_dim"`
	Vocab      int       `json:"vocab_size"`
	Positions  int       `json:"max_position_embeddings"`
	Activation hiddenAct `json:"activation"`
}

func decodeDistilBERTConfig(config []byte) (*distilBERTConfig, error) {
	c := distilBERTConfig{Activation: hiddenAct(GELU)}
	if err := decodeConfig(config, &c); err != nil {
		return nil, err
	}
	return &c, firstError(
		inRange("dim", c.Hidden, 1, maxWidth),
		inRange("n_layers", c.Layers, 1, maxLayers),
		divides("n_heads", c.Heads, "dim", c.Hidden),
		inRange("hidden_dim", c.Inner, 1, maxWidth),
		inRange("vocab_size", c.Vocab, 1, maxRows),
		inRange("max_position_embeddings", c.Positions, 1, maxRows),
	)
}

// readDistilBERT reads DistilBERT (arXiv 1910.01108; transformers'
// modeling_distilbert.py): BERT without token types, under names of its own.
func readDistilBERT(config []byte, tensors Tensors) (*Spec, error) {
	c, err := decodeDistilBERTConfig(config)
	if err != nil {
		return nil, err
	}
	t := newCheckpoint(tensors, "embeddings.word_embeddings.weight")
	s := &Spec{
		Hidden: c.Hidden, Heads: c.Heads, HeadDim: c.Hidden / c.Heads, MaxPositions: c.Positions,
		Embedding: Embedding{
			Vocab:     c.Vocab,
			Tokens:    t.table("embeddings.word_embeddings.weight", c.Vocab, c.Hidden),
			Positions: t.table("embeddings.position_embeddings.weight", c.Positions, c.Hidden),
			Norm:      t.norm("embeddings.LayerNorm", c.Hidden, distilBERTEps, true),
			PadToken:  -1,
		},
	}
	s.Layers = t.layers(c.Layers, c.layer)
	return s, t.err
}

func (c *distilBERTConfig) layer(t *checkpoint, i int) Layer {
	name := fmt.Sprintf("transformer.layer.%d.", i)
	return Layer{
		Query:         t.linear(name+"attention.q_lin", c.Hidden, c.Hidden, true),
		Key:           t.linear(name+"attention.k_lin", c.Hidden, c.Hidden, true),
		Value:         t.linear(name+"attention.v_lin", c.Hidden, c.Hidden, true),
		Output:        t.linear(name+"attention.out_lin", c.Hidden, c.Hidden, true),
		PostAttention: t.norm(name+"sa_layer_norm", c.Hidden, distilBERTEps, true),
		FFN: FFN{
			Up:         t.linear(name+"ffn.lin1", c.Inner, c.Hidden, true),
			Down:       t.linear(name+"ffn.lin2", c.Hidden, c.Inner, true),
			Activation: Activation(c.Activation),
		},
		PostFFN: t.norm(name+"output_layer_norm", c.Hidden, distilBERTEps, true),
	}
}
