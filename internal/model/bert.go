package model

import "fmt"

// bertConfig holds the keys of config.json that shape a BERT; RoBERTa and MPNet
// share them. The values set before decoding are transformers' own defaults for
// keys that old files leave out.
type bertConfig struct {
	Hidden       int     `json:"hidden_size"`
	Layers       int     `json:"num_hidden_layers"`
	Heads        int     `json:"num_attention_heads"`
	Inner        int     `json:"intermediate_size"`
	Vocab        int     `json:"vocab_size"`
	Positions    int     `json:"max_position_embeddings"`
	TokenTypes   int     `json:"type_vocab_size"`
	Activation   string  `json:"hidden_act"`
	Eps          float64 `json:"layer_norm_eps"`
	PositionType string  `json:"position_embedding_type"`
	PadToken     int     `json:"pad_token_id"`
}

func (c *bertConfig) check() error {
	if c.PositionType != "absolute" {
		return fmt.Errorf("position_embedding_type %q is not known (known: absolute)", c.PositionType)
	}
	return firstError(
		inRange("hidden_size", c.Hidden, 1, maxWidth),
		inRange("num_hidden_layers", c.Layers, 1, maxLayers),
		inRange("num_attention_heads", c.Heads, 1, maxWidth),
		divides("num_attention_heads", c.Heads, "hidden_size", c.Hidden),
		inRange("intermediate_size", c.Inner, 1, maxWidth),
		inRange("vocab_size", c.Vocab, 1, maxRows),
		inRange("max_position_embeddings", c.Positions, 1, maxRows),
		inRange("type_vocab_size", c.TokenTypes, 1, 256),
		epsilon("layer_norm_eps", c.Eps),
	)
}

// readBERT reads BERT (arXiv 1810.04805; transformers' modeling_bert.py): MiniLM,
// BGE, E5, GTE and most older embedding models.
func readBERT(config []byte, tensors Tensors) (*Spec, error) {
	c := bertConfig{TokenTypes: 2, Activation: "gelu", Eps: 1e-12, PositionType: "absolute"}
	if err := decodeConfig(config, &c); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	act, err := activation(c.Activation)
	if err != nil {
		return nil, err
	}
	t := newCheckpoint(tensors, "embeddings.word_embeddings.weight")
	s := bertSpec(&c, t)
	s.Embedding.PadToken = -1
	for i := 0; i < c.Layers && t.err == nil; i++ {
		s.Layers = append(s.Layers, bertLayer(&c, t, i, act))
	}
	return s, t.err
}

// bertSpec fills everything but the layers.
func bertSpec(c *bertConfig, t *checkpoint) *Spec {
	return &Spec{
		Hidden: c.Hidden, Heads: c.Heads, HeadDim: c.Hidden / c.Heads, MaxPositions: c.Positions,
		Embedding: Embedding{
			Vocab:      c.Vocab,
			Tokens:     t.table("embeddings.word_embeddings.weight", c.Vocab, c.Hidden),
			TokenTypes: t.table("embeddings.token_type_embeddings.weight", c.TokenTypes, c.Hidden),
			Positions:  t.table("embeddings.position_embeddings.weight", c.Positions, c.Hidden),
			Norm:       t.norm("embeddings.LayerNorm", c.Hidden, float32(c.Eps), true),
		},
	}
}

func bertLayer(c *bertConfig, t *checkpoint, i int, act Activation) Layer {
	name, width, eps := fmt.Sprintf("encoder.layer.%d.", i), c.Hidden, float32(c.Eps)
	return Layer{
		Query:         t.linear(name+"attention.self.query", width, width, true),
		Key:           t.linear(name+"attention.self.key", width, width, true),
		Value:         t.linear(name+"attention.self.value", width, width, true),
		Output:        t.linear(name+"attention.output.dense", width, width, true),
		PostAttention: t.norm(name+"attention.output.LayerNorm", width, eps, true),
		FFN: FFN{
			Up:         t.linear(name+"intermediate.dense", c.Inner, width, true),
			Down:       t.linear(name+"output.dense", width, c.Inner, true),
			Activation: act,
		},
		PostFFN: t.norm(name+"output.LayerNorm", width, eps, true),
	}
}
