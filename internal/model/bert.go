package model

import "fmt"

// bertConfig holds the keys of config.json that shape a BERT; RoBERTa and MPNet
// share them.
type bertConfig struct {
	Hidden       int       `json:"hidden_size"`
	Layers       int       `json:"num_hidden_layers"`
	Heads        int       `json:"num_attention_heads"`
	Inner        int       `json:"intermediate_size"`
	Vocab        int       `json:"vocab_size"`
	Positions    int       `json:"max_position_embeddings"`
	TokenTypes   int       `json:"type_vocab_size"`
	Activation   hiddenAct `json:"hidden_act"`
	Eps          float64   `json:"layer_norm_eps"`
	PositionType string    `json:"position_embedding_type"`
	FFNType      string    `json:"feed_forward_type"`              // JinaBERT's
	PadToken     int       `json:"pad_token_id"`                   // RoBERTa's
	Buckets      int       `json:"relative_attention_num_buckets"` // MPNet's
	Decoder      bool      `json:"is_decoder"`                     // BERT's and RoBERTa's: a token sees those before it alone
}

// decodeBERTConfig fills in transformers' own defaults for the keys that old
// files leave out.
func decodeBERTConfig(config []byte) (*bertConfig, error) {
	c := bertConfig{TokenTypes: 2, Activation: hiddenAct(GELU), Eps: 1e-12, PositionType: "absolute", PadToken: 1, Buckets: 32}
	if err := decodeConfig(config, &c); err != nil {
		return nil, err
	}
	return &c, firstError(
		inRange("hidden_size", c.Hidden, 1, maxWidth),
		inRange("num_hidden_layers", c.Layers, 1, maxLayers),
		divides("num_attention_heads", c.Heads, "hidden_size", c.Hidden),
		inRange("intermediate_size", c.Inner, 1, maxWidth),
		inRange("vocab_size", c.Vocab, 1, maxRows),
		inRange("max_position_embeddings", c.Positions, 1, maxRows),
		inRange("type_vocab_size", c.TokenTypes, 1, maxTokenTypes),
		epsilon("layer_norm_eps", c.Eps),
	)
}

// readBERT reads BERT (arXiv 1810.04805; transformers' modeling_bert.py): MiniLM,
// BGE, E5, GTE and most older embedding models.
func readBERT(config []byte, tensors Tensors) (*Spec, error) {
	c, err := decodeBERTConfig(config)
	if err != nil {
		return nil, err
	}
	switch c.PositionType {
	case "absolute":
	case "alibi":
		return readJinaBERT(c, tensors)
	default:
		return nil, fmt.Errorf("position_embedding_type %q is %w (known: absolute, alibi)", c.PositionType, ErrUnsupported)
	}
	t := newCheckpoint(tensors, "embeddings.word_embeddings.weight")
	s := c.spec(t)
	s.Embedding.TokenTypes = t.table("embeddings.token_type_embeddings.weight", c.TokenTypes, c.Hidden)
	s.Layers = t.layers(c.Layers, c.layer)
	return s, t.err
}

// spec fills what BERT, RoBERTa and MPNet have in common outside their layers.
func (c *bertConfig) spec(t *checkpoint) *Spec {
	return &Spec{
		Hidden: c.Hidden, Heads: c.Heads, HeadDim: c.Hidden / c.Heads, MaxPositions: c.Positions,
		Embedding: Embedding{
			Vocab:     c.Vocab,
			Tokens:    t.table("embeddings.word_embeddings.weight", c.Vocab, c.Hidden),
			Positions: t.table("embeddings.position_embeddings.weight", c.Positions, c.Hidden),
			Norm:      t.norm("embeddings.LayerNorm", c.Hidden, c.Eps, true),
			PadToken:  -1,
		},
	}
}

func (c *bertConfig) layer(t *checkpoint, i int) Layer {
	name := fmt.Sprintf("encoder.layer.%d.", i)
	return Layer{
		Query:         t.linear(name+"attention.self.query", c.Hidden, c.Hidden, true),
		Key:           t.linear(name+"attention.self.key", c.Hidden, c.Hidden, true),
		Value:         t.linear(name+"attention.self.value", c.Hidden, c.Hidden, true),
		Output:        t.linear(name+"attention.output.dense", c.Hidden, c.Hidden, true),
		PostAttention: t.norm(name+"attention.output.LayerNorm", c.Hidden, c.Eps, true),
		FFN:           c.ffn(t, name),
		PostFFN:       t.norm(name+"output.LayerNorm", c.Hidden, c.Eps, true),
		Causal:        c.Decoder,
	}
}

func (c *bertConfig) ffn(t *checkpoint, name string) FFN {
	return FFN{
		Up:         t.linear(name+"intermediate.dense", c.Inner, c.Hidden, true),
		Down:       t.linear(name+"output.dense", c.Hidden, c.Inner, true),
		Activation: Activation(c.Activation),
	}
}
