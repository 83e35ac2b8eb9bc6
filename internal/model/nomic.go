package model

import "fmt"

// nomicConfig holds NomicBERT's config.json in its two layouts: that of GPT-2's
// names, in which nomic-ai's repositories are, and that of transformers' own.
type nomicConfig struct {
	Hidden     int        `json:"hidden_size"`
	Layers     int        `json:"num_hidden_layers"`
	Heads      int        `json:"num_attention_heads"`
	Inner      int        `json:"intermediate_size"`
	Vocab      int        `json:"vocab_size"`
	Positions  int        `json:"max_position_embeddings"`
	TokenTypes int        `json:"type_vocab_size"`
	Activation hiddenAct  `json:"hidden_act"`
	Eps        float64    `json:"layer_norm_eps"`
	Rope       ropeConfig `json:"rope_parameters"`

	OldHidden     int     `json:"n_embd"`
	OldLayers     int     `json:"n_layer"`
	OldHeads      int     `json:"n_head"`
	OldInner      int     `json:"n_inner"`
	OldPositions  int     `json:"n_positions"`
	OldEps        float64 `json:"layer_norm_epsilon"`
	OldActivation string  `json:"activation_function"`
	OldTheta      float64 `json:"rotary_emb_base"`

	QKVBias     bool     `json:"qkv_proj_bias"`
	UpBias      bool     `json:"mlp_fc1_bias"`
	DownBias    bool     `json:"mlp_fc2_bias"`
	Fraction    float64  `json:"rotary_emb_fraction"`
	Interleaved bool     `json:"rotary_emb_interleaved"`
	ScaleBase   *float64 `json:"rotary_emb_scale_base"`
	Scaling     *float64 `json:"rotary_scaling_factor"`
	PreNorm     bool     `json:"prenorm"`
	Parallel    bool     `json:"parallel_block"`
	RMSNorm     bool     `json:"use_rms_norm"`
	Causal      bool     `json:"causal"`
	Scaled      bool     `json:"scale_attn_weights"`
	ByLayer     bool     `json:"scale_attn_by_inverse_layer_idx"`

	nomicExperts
	plain bool // the feed-forward has no gate
}

func decodeNomicConfig(config []byte) (*nomicConfig, rotary, error) {
	c := nomicConfig{TokenTypes: 2, Activation: hiddenAct(SiLU), Eps: 1e-12, Fraction: 1, OldTheta: 1000, Scaled: true}
	if err := decodeConfig(config, &c); err != nil {
		return nil, rotary{}, err
	}
	if c.OldHidden != 0 {
		c.Hidden, c.Layers, c.Heads, c.Inner, c.Positions = c.OldHidden, c.OldLayers, c.OldHeads, c.OldInner, c.OldPositions
		c.Eps = c.OldEps
	}
	rope := rotary{Theta: c.OldTheta}
	return &c, rope, firstError(
		inRange("hidden size", c.Hidden, 1, maxWidth),
		inRange("number of layers", c.Layers, 1, maxLayers),
		divides("number of heads", c.Heads, "hidden size", c.Hidden),
		inRange("inner size", c.Inner, 1, maxWidth),
		inRange("vocab_size", c.Vocab, 1, maxRows),
		inRange("number of positions", c.Positions, 1, maxRows),
		inRange("type_vocab_size", c.TokenTypes, 0, maxTokenTypes),
		epsilon("layer norm epsilon", c.Eps),
		even("width of a head", c.Hidden/max(c.Heads, 1)),
		c.checkOldActivation(), c.checkVariant(), c.nomicExperts.check(),
		rope.take(c.Rope), rope.check(),
	)
}

func (c *nomicConfig) checkOldActivation() error {
	switch c.OldActivation {
	case "": // transformers' layout
	case "swiglu":
		c.Activation = hiddenAct(SiLU)
	case "geglu":
		c.Activation = hiddenAct(GELU)
	case "gelu":
		c.Activation, c.plain = hiddenAct(GELU), true
	default:
		return fmt.Errorf("activation_function %q is %w (known: gelu, geglu, swiglu)", c.OldActivation, ErrUnsupported)
	}
	return nil
}

// checkVariant refuses what nomic-ai's code can do and no model of theirs that we
// know does.
func (c *nomicConfig) checkVariant() error {
	switch {
	case c.Causal || !c.Scaled || c.ByLayer:
		return fmt.Errorf("causal %t, scale_attn_weights %t, scale_attn_by_inverse_layer_idx %t: anything but false, true, false is %w", c.Causal, c.Scaled, c.ByLayer, ErrUnsupported)
	case c.PreNorm || c.Parallel || c.RMSNorm:
		return fmt.Errorf("prenorm %t, parallel_block %t, use_rms_norm %t: anything but false is %w", c.PreNorm, c.Parallel, c.RMSNorm, ErrUnsupported)
	case c.Fraction != 1 || c.Interleaved || c.ScaleBase != nil || c.Scaling != nil:
		return fmt.Errorf("rotary positions of a fraction of a head, interleaved or scaled are %w", ErrUnsupported)
	}
	return nil
}

// readNomic reads NomicBERT (arXiv 2402.01613; nomic-ai's modeling_hf_nomic_bert.py,
// transformers' modeling_nomic_bert.py): BERT with rotary positions and a gated
// feed-forward, mostly without biases.
func readNomic(config []byte, tensors Tensors) (*Spec, error) {
	c, rope, err := decodeNomicConfig(config)
	if err != nil {
		return nil, err
	}
	t := newCheckpoint(tensors, "embeddings.word_embeddings.weight")
	norm, layer := "embeddings.LayerNorm", c.layer
	if t.hasUnder("encoder.layers.") {
		norm, layer = "emb_ln", c.fusedLayer
	}
	s := &Spec{
		Hidden: c.Hidden, Heads: c.Heads, HeadDim: c.Hidden / c.Heads, MaxPositions: c.Positions,
		Embedding: Embedding{
			Vocab:    c.Vocab,
			Tokens:   t.table("embeddings.word_embeddings.weight", c.Vocab, c.Hidden),
			Norm:     t.norm(norm, c.Hidden, c.Eps, true),
			PadToken: -1,
		},
	}
	if c.TokenTypes > 0 {
		s.Embedding.TokenTypes = t.table("embeddings.token_type_embeddings.weight", c.TokenTypes, c.Hidden)
	}
	s.Layers = t.layers(c.Layers, layer)
	for i := range s.Layers {
		s.Layers[i].RotaryTheta, s.Layers[i].RotaryDivisor = rope.Theta, rope.Divisor
	}
	return s, t.err
}

// layer has transformers' names.
func (c *nomicConfig) layer(t *checkpoint, i int) Layer {
	name := fmt.Sprintf("layers.%d.", i)
	return Layer{
		Query:         t.linear(name+"self_attn.q_proj", c.Hidden, c.Hidden, c.QKVBias),
		Key:           t.linear(name+"self_attn.k_proj", c.Hidden, c.Hidden, c.QKVBias),
		Value:         t.linear(name+"self_attn.v_proj", c.Hidden, c.Hidden, c.QKVBias),
		Output:        t.linear(name+"self_attn.o_proj", c.Hidden, c.Hidden, c.QKVBias),
		PostAttention: t.norm(name+"post_attention_layernorm", c.Hidden, c.Eps, true),
		FFN:           c.ffn(t, name+"mlp.gate_proj", name+"mlp.up_proj", name+"mlp.down_proj"),
		PostFFN:       t.norm(name+"post_mlp_layernorm", c.Hidden, c.Eps, true),
	}
}

// fusedLayer has nomic-ai's.
func (c *nomicConfig) fusedLayer(t *checkpoint, i int) Layer {
	name := fmt.Sprintf("encoder.layers.%d.", i)
	qkv := t.fused(name+"attn.Wqkv", 3, c.Hidden, c.Hidden, c.QKVBias)
	return Layer{
		Query: qkv[0], Key: qkv[1], Value: qkv[2],
		Output:        t.linear(name+"attn.out_proj", c.Hidden, c.Hidden, c.QKVBias),
		PostAttention: t.norm(name+"norm1", c.Hidden, c.Eps, true),
		FFN:           c.fusedFFN(t, name+"mlp.", i),
		PostFFN:       t.norm(name+"norm2", c.Hidden, c.Eps, true),
	}
}

func (c *nomicConfig) fusedFFN(t *checkpoint, name string, i int) FFN {
	switch {
	case c.routes(i):
		return c.mixture(t, name)
	case c.plain:
		return FFN{
			Up:         t.linear(name+"fc1", c.Inner, c.Hidden, c.UpBias),
			Down:       t.linear(name+"fc2", c.Hidden, c.Inner, c.DownBias),
			Activation: Activation(c.Activation),
		}
	}
	return c.ffn(t, name+"fc12", name+"fc11", name+"fc2")
}

func (c *nomicConfig) ffn(t *checkpoint, up, gate, down string) FFN {
	return FFN{
		Up:         t.linear(up, c.Inner, c.Hidden, c.UpBias),
		Gate:       t.linear(gate, c.Inner, c.Hidden, c.UpBias),
		Down:       t.linear(down, c.Hidden, c.Inner, c.DownBias),
		Activation: Activation(c.Activation),
	}
}
