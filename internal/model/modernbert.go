package model

import "fmt"

const (
	globalAttention = "full_attention"
	localAttention  = "sliding_attention"
)

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
}

type ropeConfig struct {
	Type  string  `json:"rope_type"`
	Theta float64 `json:"rope_theta"`
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
		c.checkLayerTypes(),
		c.readRope(),
	)
}

func (c *modernBERTConfig) checkLayerTypes() error {
	if c.LayerTypes != nil && len(c.LayerTypes) != c.Layers {
		return fmt.Errorf("layer_types has %d entries for %d layers", len(c.LayerTypes), c.Layers)
	}
	for _, kind := range c.LayerTypes {
		if kind != globalAttention && kind != localAttention {
			return fmt.Errorf("layer type %q is not known (known: %s, %s)", kind, globalAttention, localAttention)
		}
	}
	return nil
}

// readRope takes the bases from where newer files have them.
func (c *modernBERTConfig) readRope() error {
	for kind, theta := range map[string]*float64{globalAttention: &c.GlobalTheta, localAttention: &c.LocalTheta} {
		rope := c.Rope[kind]
		if rope.Theta != 0 {
			*theta = rope.Theta
		}
		if !(*theta > 1 && *theta < 1e12) {
			return fmt.Errorf("the rotary base of %s is %g; it must lie between 1 and 1e12", kind, *theta)
		}
		if t := rope.Type; t != "" && t != "default" {
			return fmt.Errorf("rope_type %q is %w", t, ErrUnsupported)
		}
	}
	if c.RopeScaling != nil {
		return fmt.Errorf("rope_scaling is %w", ErrUnsupported)
	}
	return nil
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
		RotaryTheta: c.GlobalTheta,
	}
	if i > 0 { // the first layer's input is normalised already
		l.PreAttention = t.norm(name+"attn_norm", c.Hidden, c.Eps, c.NormBias)
	}
	if !c.isGlobal(i) {
		l.RotaryTheta, l.Window = c.LocalTheta, c.LocalWidth/2
	}
	return l
}

func (c *modernBERTConfig) isGlobal(i int) bool {
	if c.LayerTypes != nil {
		return c.LayerTypes[i] == globalAttention
	}
	return i%c.GlobalEvery == 0
}
