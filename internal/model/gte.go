package model

import (
	"cmp"
	"fmt"
	"math"
)

type gteConfig struct {
	ModelType    string     `json:"model_type"`
	Hidden       int        `json:"hidden_size"`
	Layers       int        `json:"num_hidden_layers"`
	Heads        int        `json:"num_attention_heads"`
	Inner        int        `json:"intermediate_size"`
	Vocab        int        `json:"vocab_size"`
	Positions    int        `json:"max_position_embeddings"`
	TokenTypes   int        `json:"type_vocab_size"`
	Activation   hiddenAct  `json:"hidden_act"`
	Eps          float64    `json:"layer_norm_eps"`
	PositionType string     `json:"position_embedding_type"`
	NormType     string     `json:"layer_norm_type"`
	LogN         bool       `json:"logn_attention_scale"`
	Rope         ropeConfig `json:"rope_parameters"`
	Theta        float64    `json:"rope_theta"`
	Scaling      ropeConfig `json:"rope_scaling"`
}

func decodeGTEConfig(config []byte) (*gteConfig, rotary, error) {
	c := gteConfig{Activation: hiddenAct(GELU), Eps: 1e-12, PositionType: "rope", NormType: "layer_norm"}
	if err := decodeConfig(config, &c); err != nil {
		return nil, rotary{}, err
	}
	if c.PositionType != "rope" || c.NormType != "layer_norm" || c.LogN {
		return nil, rotary{}, fmt.Errorf("position_embedding_type %q, layer_norm_type %q, logn_attention_scale %t: anything but rope, layer_norm, false is %w",
			c.PositionType, c.NormType, c.LogN, ErrUnsupported)
	}
	if err := firstError(
		inRange("hidden_size", c.Hidden, 1, maxWidth),
		inRange("num_hidden_layers", c.Layers, 1, maxLayers),
		divides("num_attention_heads", c.Heads, "hidden_size", c.Hidden),
		inRange("intermediate_size", c.Inner, 1, maxWidth),
		inRange("vocab_size", c.Vocab, 1, maxRows),
		inRange("max_position_embeddings", c.Positions, 1, maxRows),
		inRange("type_vocab_size", c.TokenTypes, 0, maxTokenTypes),
		epsilon("layer_norm_eps", c.Eps),
		even("width of a head", c.Hidden/max(c.Heads, 1)),
	); err != nil {
		return nil, rotary{}, err
	}
	rope, err := c.rotary()
	return &c, rope, err
}

// gteBases are the bases of files that name none: transformers' and Alibaba-NLP's.
var gteBases = map[string]float64{"gte": 160_000, "new": 10_000}

// rotary reads the bases. "ntk" is Alibaba-NLP's own scaling: it takes the base
// factor times as large and divides every frequency by factor^(2/width of a head).
func (c *gteConfig) rotary() (rotary, error) {
	r := rotary{Theta: cmp.Or(c.Theta, gteBases[c.ModelType])}
	if s := c.Scaling; s.OldType == "ntk" && s.MixedB == 0 {
		if !(s.Factor >= 1 && s.Factor < 1e6) {
			return r, fmt.Errorf("rope_scaling factor is %g; it must lie between 1 and 1e6", s.Factor)
		}
		r.Theta *= s.Factor
		r.Divisor = math.Pow(s.Factor, 2/float64(c.Hidden/c.Heads))
		return r, r.check()
	}
	return r, firstError(r.take(c.Scaling), r.take(c.Rope), r.check())
}

// readGTE reads Alibaba-NLP's GTE encoders (arXiv 2407.19669; their modeling.py of
// the model_type "new", transformers' modeling_gte.py) and Snowflake's Arctic Embed
// 2, which is one of them: BERT with rotary positions and a gated feed-forward.
func readGTE(config []byte, tensors Tensors) (*Spec, error) {
	c, rope, err := decodeGTEConfig(config)
	if err != nil {
		return nil, err
	}
	t := newCheckpoint(tensors, "embeddings.word_embeddings.weight")
	s := &Spec{
		Hidden: c.Hidden, Heads: c.Heads, HeadDim: c.Hidden / c.Heads, MaxPositions: c.Positions,
		Embedding: Embedding{
			Vocab:    c.Vocab,
			Tokens:   t.table("embeddings.word_embeddings.weight", c.Vocab, c.Hidden),
			Norm:     t.norm("embeddings.LayerNorm", c.Hidden, c.Eps, true),
			PadToken: -1,
		},
	}
	if c.TokenTypes > 0 {
		s.Embedding.TokenTypes = t.table("embeddings.token_type_embeddings.weight", c.TokenTypes, c.Hidden)
	}
	layer := c.layer
	if t.hasUnder("encoder.layer.") {
		layer = c.fusedLayer
	}
	s.Layers = t.layers(c.Layers, layer)
	for i := range s.Layers {
		s.Layers[i].RotaryTheta, s.Layers[i].RotaryDivisor = rope.Theta, rope.Divisor
	}
	return s, t.err
}

// layer has transformers' names.
func (c *gteConfig) layer(t *checkpoint, i int) Layer {
	name := fmt.Sprintf("layers.%d.", i)
	return Layer{
		Query:         t.linear(name+"self_attn.q_proj", c.Hidden, c.Hidden, true),
		Key:           t.linear(name+"self_attn.k_proj", c.Hidden, c.Hidden, true),
		Value:         t.linear(name+"self_attn.v_proj", c.Hidden, c.Hidden, true),
		Output:        t.linear(name+"self_attn.o_proj", c.Hidden, c.Hidden, true),
		PostAttention: t.norm(name+"post_attention_layernorm", c.Hidden, c.Eps, true),
		FFN: FFN{
			Up:         t.linear(name+"mlp.gate_proj", c.Inner, c.Hidden, false),
			Gate:       t.linear(name+"mlp.up_proj", c.Inner, c.Hidden, false),
			Down:       t.linear(name+"mlp.down_proj", c.Hidden, c.Inner, true),
			Activation: Activation(c.Activation),
		},
		PostFFN: t.norm(name+"post_mlp_layernorm", c.Hidden, c.Eps, true),
	}
}

// fusedLayer has Alibaba-NLP's.
func (c *gteConfig) fusedLayer(t *checkpoint, i int) Layer {
	name := fmt.Sprintf("encoder.layer.%d.", i)
	qkv := t.fused(name+"attention.qkv_proj", 3, c.Hidden, c.Hidden, true)
	up := t.fused(name+"mlp.up_gate_proj", 2, c.Inner, c.Hidden, false)
	return Layer{
		Query: qkv[0], Key: qkv[1], Value: qkv[2],
		Output:        t.linear(name+"attention.o_proj", c.Hidden, c.Hidden, true),
		PostAttention: t.norm(name+"attn_ln", c.Hidden, c.Eps, true),
		FFN: FFN{
			Up: up[1], Gate: up[0],
			Down:       t.linear(name+"mlp.down_proj", c.Hidden, c.Inner, true),
			Activation: Activation(c.Activation),
		},
		PostFFN: t.norm(name+"mlp_ln", c.Hidden, c.Eps, true),
	}
}
