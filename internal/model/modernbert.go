package model

import "fmt"

type modernBERTConfig struct {
	Hidden        int       `json:"hidden_size"`
	Layers        int       `json:"num_hidden_layers"`
	Heads         int       `json:"num_attention_heads"`
	Inner         int       `json:"intermediate_size"`
	Vocab         int       `json:"vocab_size"`
	Positions     int       `json:"max_position_embeddings"`
	Activation    hiddenAct `json:"hidden_activation"`
	Eps           float64   `json:"norm_eps"`
	NormBias      bool      `json:"norm_bias"`
	AttentionBias bool      `json:"attention_bias"`
	FFNBias       bool      `json:"mlp_bias"`
	LocalWidth    int       `json:"local_attention"` // both sides together

	// Which layers attend to everything: a list, or in older files a period.
	LayerTypes  []string `json:"layer_types"`
	GlobalEvery int      `json:"global_attn_every_n_layers"`

	// Bases of the rotary positions: by kind of layer, or in older files apart.
	Rope        map[string]ropeConfig `json:"rope_parameters"`
	RopeScaling *ropeConfig           `json:"rope_scaling"`
	GlobalTheta float64               `json:"global_rope_theta"`
	LocalTheta  float64               `json:"local_rope_theta"`

	global, local rotary
}

func decodeModernBERTConfig(config []byte) (*modernBERTConfig, error) {
	c := modernBERTConfig{
		Activation: hiddenAct(GELU), Eps: 1e-5, LocalWidth: 128, GlobalEvery: 3, GlobalTheta: 160_000, LocalTheta: 10_000,
	}
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
		inRange("local_attention", c.LocalWidth, 2, maxRows),
		inRange("global_attn_every_n_layers", c.GlobalEvery, 1, maxLayers),
		epsilon("norm_eps", c.Eps),
		checkLayerTypes(c.LayerTypes, c.Layers),
		even("width of a head", c.Hidden/max(c.Heads, 1)),
		c.readRope(),
	)
}

func (c *modernBERTConfig) readRope() (err error) {
	c.global, c.local, err = readRopes(c.Rope, c.GlobalTheta, c.LocalTheta)
	if err == nil && c.RopeScaling != nil {
		return fmt.Errorf("rope_scaling is %w", ErrUnsupported)
	}
	return err
}

// readModernBERT reads ModernBERT (arXiv 2412.13663; transformers'
// modeling_modernbert.py): pre-norm, rotary positions, a gated feed-forward, and
// attention that on most layers is local.
func readModernBERT(config []byte, tensors Tensors) (*Spec, error) {
	c, err := decodeModernBERTConfig(config)
	if err != nil {
		return nil, err
	}
	t := newCheckpoint(tensors, "embeddings.tok_embeddings.weight")
	s := &Spec{
		Hidden: c.Hidden, Heads: c.Heads, HeadDim: c.Hidden / c.Heads, MaxPositions: c.Positions,
		Embedding: Embedding{
			Vocab:    c.Vocab,
			Tokens:   t.table("embeddings.tok_embeddings.weight", c.Vocab, c.Hidden),
			Norm:     t.norm("embeddings.norm", c.Hidden, c.Eps, c.NormBias),
			PadToken: -1,
		},
		FinalNorm: t.norm("final_norm", c.Hidden, c.Eps, c.NormBias),
	}
	s.Layers = t.layers(c.Layers, c.layer)
	return s, t.err
}

func (c *modernBERTConfig) layer(t *checkpoint, i int) Layer {
	name := fmt.Sprintf("layers.%d.", i)
	qkv := t.fused(name+"attn.Wqkv", 3, c.Hidden, c.Hidden, c.AttentionBias)
	up := t.fused(name+"mlp.Wi", 2, c.Inner, c.Hidden, c.FFNBias)
	l := Layer{
		Query: qkv[0], Key: qkv[1], Value: qkv[2],
		Output: t.linear(name+"attn.Wo", c.Hidden, c.Hidden, c.AttentionBias),
		PreFFN: t.norm(name+"mlp_norm", c.Hidden, c.Eps, c.NormBias),
		FFN: FFN{
			Up: up[0], Gate: up[1],
			Down:       t.linear(name+"mlp.Wo", c.Hidden, c.Inner, c.FFNBias),
			Activation: Activation(c.Activation),
		},
		RotaryTheta: c.global.Theta, RotaryDivisor: c.global.Divisor,
	}
	if i > 0 { // the first layer's input is normalised already
		l.PreAttention = t.norm(name+"attn_norm", c.Hidden, c.Eps, c.NormBias)
	}
	if !isGlobal(c.LayerTypes, i, i%c.GlobalEvery == 0) {
		l.RotaryTheta, l.RotaryDivisor = c.local.Theta, c.local.Divisor
		l.Window = c.LocalWidth / 2
	}
	return l
}
