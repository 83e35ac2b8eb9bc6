package model

import (
	"fmt"
	"slices"
)

type qwen3Config struct {
	Hidden        int        `json:"hidden_size"`
	Layers        int        `json:"num_hidden_layers"`
	Heads         int        `json:"num_attention_heads"`
	KeyHeads      int        `json:"num_key_value_heads"`
	HeadDim       int        `json:"head_dim"`
	Inner         int        `json:"intermediate_size"`
	Vocab         int        `json:"vocab_size"`
	Positions     int        `json:"max_position_embeddings"`
	Activation    hiddenAct  `json:"hidden_act"`
	Eps           float64    `json:"rms_norm_eps"`
	AttentionBias bool       `json:"attention_bias"`
	Causal        bool       `json:"is_causal"`
	Theta         float64    `json:"rope_theta"`
	Scaling       ropeConfig `json:"rope_scaling"`
	Rope          ropeConfig `json:"rope_parameters"`

	// Which layers attend to everything: a list, or those before some layer.
	Sliding    bool     `json:"use_sliding_window"`
	Window     *int     `json:"sliding_window"` // none when null
	LocalFrom  int      `json:"max_window_layers"`
	LayerTypes []string `json:"layer_types"`

	window int // tokens of a local layer's; 0: there is none
}

func decodeQwen3Config(config []byte) (*qwen3Config, rotary, error) {
	window := 4096
	c := qwen3Config{HeadDim: 128, Activation: hiddenAct(SiLU), Eps: 1e-6, Theta: 10_000, Causal: true, Window: &window, LocalFrom: 28}
	if err := decodeConfig(config, &c); err != nil {
		return nil, rotary{}, err
	}
	if c.KeyHeads == 0 {
		c.KeyHeads = c.Heads
	}
	rope := rotary{Theta: c.Theta}
	return &c, rope, firstError(
		inRange("hidden_size", c.Hidden, 1, maxWidth),
		inRange("num_hidden_layers", c.Layers, 1, maxLayers),
		inRange("num_attention_heads", c.Heads, 1, maxWidth),
		divides("num_key_value_heads", c.KeyHeads, "num_attention_heads", c.Heads),
		inRange("head_dim", c.HeadDim, 2, maxWidth), even("head_dim", c.HeadDim),
		inRange("intermediate_size", c.Inner, 1, maxWidth),
		inRange("vocab_size", c.Vocab, 1, maxRows),
		inRange("max_position_embeddings", c.Positions, 1, maxRows),
		checkLayerTypes(c.LayerTypes, c.Layers),
		c.readWindow(),
		epsilon("rms_norm_eps", c.Eps),
		rope.take(c.Scaling), rope.take(c.Rope), rope.check(),
	)
}

func (c *qwen3Config) readWindow() error {
	if c.Sliding && c.Window != nil {
		c.window = *c.Window
		return inRange("sliding_window", c.window, 2, maxRows)
	}
	if slices.Contains(c.LayerTypes, localAttention) {
		return fmt.Errorf("layer_types has %s, but use_sliding_window is false or sliding_window is null", localAttention)
	}
	return nil
}

// readQwen3 reads Qwen3-Embedding (arXiv 2506.05176; transformers'
// modeling_qwen3.py): a causal decoder with RMS norms, norms of queries and keys,
// keys and values shared by heads, and a gated feed-forward.
func readQwen3(config []byte, tensors Tensors) (*Spec, error) {
	c, rope, err := decodeQwen3Config(config)
	if err != nil {
		return nil, err
	}
	t := newCheckpoint(tensors, "embed_tokens.weight")
	s := &Spec{
		Hidden: c.Hidden, Heads: c.Heads, KeyHeads: c.KeyHeads, HeadDim: c.HeadDim, MaxPositions: c.Positions,
		Embedding: Embedding{Vocab: c.Vocab, Tokens: t.table("embed_tokens.weight", c.Vocab, c.Hidden), PadToken: -1},
		FinalNorm: t.rms("norm", c.Hidden, c.Eps),
	}
	s.Layers = t.layers(c.Layers, func(t *checkpoint, i int) Layer { return c.layer(t, i, rope) })
	return s, t.err
}

func (c *qwen3Config) layer(t *checkpoint, i int, rope rotary) Layer {
	name := fmt.Sprintf("layers.%d.", i)
	l := Layer{
		PreAttention: t.rms(name+"input_layernorm", c.Hidden, c.Eps),
		Query:        t.linear(name+"self_attn.q_proj", c.Heads*c.HeadDim, c.Hidden, c.AttentionBias),
		Key:          t.linear(name+"self_attn.k_proj", c.KeyHeads*c.HeadDim, c.Hidden, c.AttentionBias),
		Value:        t.linear(name+"self_attn.v_proj", c.KeyHeads*c.HeadDim, c.Hidden, c.AttentionBias),
		Output:       t.linear(name+"self_attn.o_proj", c.Hidden, c.Heads*c.HeadDim, c.AttentionBias),
		QueryNorm:    t.rms(name+"self_attn.q_norm", c.HeadDim, c.Eps),
		KeyNorm:      t.rms(name+"self_attn.k_norm", c.HeadDim, c.Eps),
		Causal:       c.Causal,
		RotaryTheta:  rope.Theta, RotaryDivisor: rope.Divisor,
		PreFFN: t.rms(name+"post_attention_layernorm", c.Hidden, c.Eps),
		FFN: FFN{
			Up:         t.linear(name+"mlp.gate_proj", c.Inner, c.Hidden, false),
			Gate:       t.linear(name+"mlp.up_proj", c.Inner, c.Hidden, false),
			Down:       t.linear(name+"mlp.down_proj", c.Hidden, c.Inner, false),
			Activation: Activation(c.Activation),
		},
	}
	if !isGlobal(c.LayerTypes, i, c.window == 0 || i < c.LocalFrom) {
		l.Window = windowOf(c.window, c.Causal)
	}
	return l
}
