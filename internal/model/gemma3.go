package model

import (
	"fmt"
	"math"
)

type gemma3Config struct {
	Hidden        int       `json:"hidden_size"`
	Layers        int       `json:"num_hidden_layers"`
	Heads         int       `json:"num_attention_heads"`
	KeyHeads      int       `json:"num_key_value_heads"`
	HeadDim       int       `json:"head_dim"`
	Inner         int       `json:"intermediate_size"`
	Vocab         int       `json:"vocab_size"`
	Positions     int       `json:"max_position_embeddings"`
	Activation    hiddenAct `json:"hidden_activation"`
	Eps           float64   `json:"rms_norm_eps"`
	AttentionBias bool      `json:"attention_bias"`
	ScoreWidth    float64   `json:"query_pre_attn_scalar"`
	SoftCap       *float64  `json:"attn_logit_softcapping"`
	Bidirectional bool      `json:"use_bidirectional_attention"`
	Causal        bool      `json:"is_causal"`
	Window        int       `json:"sliding_window"`

	// Which layers attend to everything: a list, or a period.
	LayerTypes  []string `json:"layer_types"`
	GlobalEvery int      `json:"sliding_window_pattern"`

	// Bases of the rotary positions: by kind of layer, or in older files apart.
	Rope        map[string]ropeConfig `json:"rope_parameters"`
	Scaling     ropeConfig            `json:"rope_scaling"`
	GlobalTheta float64               `json:"rope_theta"`
	LocalTheta  float64               `json:"rope_local_base_freq"`

	global, local rotary
}

func decodeGemma3Config(config []byte) (*gemma3Config, error) {
	c := gemma3Config{
		HeadDim: 256, Activation: hiddenAct(GELUTanh), Eps: 1e-6, ScoreWidth: 256, Window: 4096,
		Causal: true, GlobalEvery: 6, GlobalTheta: 1_000_000, LocalTheta: 10_000,
	}
	if err := decodeConfig(config, &c); err != nil {
		return nil, err
	}
	if c.SoftCap != nil {
		return nil, fmt.Errorf("attn_logit_softcapping is %w", ErrUnsupported)
	}
	if !(c.ScoreWidth > 0 && c.ScoreWidth < maxWidth) {
		return nil, fmt.Errorf("query_pre_attn_scalar is %g; it must lie between 0 and %d", c.ScoreWidth, maxWidth)
	}
	return &c, firstError(
		inRange("hidden_size", c.Hidden, 1, maxWidth),
		inRange("num_hidden_layers", c.Layers, 1, maxLayers),
		inRange("num_attention_heads", c.Heads, 1, maxWidth),
		divides("num_key_value_heads", c.KeyHeads, "num_attention_heads", c.Heads),
		inRange("head_dim", c.HeadDim, 2, maxWidth), even("head_dim", c.HeadDim),
		inRange("intermediate_size", c.Inner, 1, maxWidth),
		inRange("vocab_size", c.Vocab, 1, maxRows),
		inRange("max_position_embeddings", c.Positions, 1, maxRows),
		inRange("sliding_window", c.Window, 2, maxRows),
		inRange("sliding_window_pattern", c.GlobalEvery, 1, maxLayers),
		epsilon("rms_norm_eps", c.Eps),
		checkLayerTypes(c.LayerTypes, c.Layers),
		c.readRope(),
	)
}

// readRope knows rope_scaling as a matter of the global layers alone.
func (c *gemma3Config) readRope() (err error) {
	c.global, c.local, err = readRopes(c.Rope, c.GlobalTheta, c.LocalTheta)
	if err == nil {
		err = c.global.take(c.Scaling)
	}
	return err
}

// readGemma3 reads Gemma 3's text model (arXiv 2503.19786; transformers'
// modeling_gemma3.py) and EmbeddingGemma (arXiv 2509.20354), which sees both ways:
// RMS norms on both sides of every sublayer, most layers local.
func readGemma3(config []byte, tensors Tensors) (*Spec, error) {
	c, err := decodeGemma3Config(config)
	if err != nil {
		return nil, err
	}
	t := newCheckpoint(tensors, "embed_tokens.weight")
	s := &Spec{
		Hidden: c.Hidden, Heads: c.Heads, KeyHeads: c.KeyHeads, HeadDim: c.HeadDim, MaxPositions: c.Positions,
		ScoreScale: 1 / math.Sqrt(c.ScoreWidth),
		Embedding: Embedding{
			Vocab: c.Vocab, Tokens: t.table("embed_tokens.weight", c.Vocab, c.Hidden), PadToken: -1,
			Scale: math.Sqrt(float64(c.Hidden)),
		},
		FinalNorm: c.norm(t, "norm", c.Hidden),
	}
	s.Layers = t.layers(c.Layers, c.layer)
	return s, t.err
}

// norm is an RMS norm whose weight is stored less one.
func (c *gemma3Config) norm(t *checkpoint, name string, width int) Norm {
	n := t.rms(name, width, c.Eps)
	n.FromOne = true
	return n
}

func (c *gemma3Config) layer(t *checkpoint, i int) Layer {
	name := fmt.Sprintf("layers.%d.", i)
	l := Layer{
		PreAttention:    c.norm(t, name+"input_layernorm", c.Hidden),
		Query:           t.linear(name+"self_attn.q_proj", c.Heads*c.HeadDim, c.Hidden, c.AttentionBias),
		Key:             t.linear(name+"self_attn.k_proj", c.KeyHeads*c.HeadDim, c.Hidden, c.AttentionBias),
		Value:           t.linear(name+"self_attn.v_proj", c.KeyHeads*c.HeadDim, c.Hidden, c.AttentionBias),
		Output:          t.linear(name+"self_attn.o_proj", c.Hidden, c.Heads*c.HeadDim, c.AttentionBias),
		QueryNorm:       c.norm(t, name+"self_attn.q_norm", c.HeadDim),
		KeyNorm:         c.norm(t, name+"self_attn.k_norm", c.HeadDim),
		AttentionResult: c.norm(t, name+"post_attention_layernorm", c.Hidden),
		PreFFN:          c.norm(t, name+"pre_feedforward_layernorm", c.Hidden),
		FFN: FFN{
			Up:         t.linear(name+"mlp.gate_proj", c.Inner, c.Hidden, false),
			Gate:       t.linear(name+"mlp.up_proj", c.Inner, c.Hidden, false),
			Down:       t.linear(name+"mlp.down_proj", c.Hidden, c.Inner, false),
			Activation: Activation(c.Activation),
		},
		FFNResult: c.norm(t, name+"post_feedforward_layernorm", c.Hidden),
		Causal:    c.Causal && !c.Bidirectional,
	}
	l.RotaryTheta, l.RotaryDivisor = c.global.Theta, c.global.Divisor
	if !isGlobal(c.LayerTypes, i, (i+1)%c.GlobalEvery == 0) {
		l.RotaryTheta, l.RotaryDivisor = c.local.Theta, c.local.Divisor
		l.Window = c.window()
	}
	return l
}

// window is how far a local layer sees. Of a window that use_bidirectional_attention
// opens to both ways each side has half.
func (c *gemma3Config) window() int {
	if c.Bidirectional {
		return c.Window / 2
	}
	return windowOf(c.Window, c.Causal)
}
