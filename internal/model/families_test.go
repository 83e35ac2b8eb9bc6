package model_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/paceline/paceline/internal/model"
)

// each adds a layer's tensors for every layer; %d in the prefix is its number.
func (c checkpoint) each(prefix string, add func(at string)) checkpoint {
	for i := range layers {
		add(fmt.Sprintf(prefix, i))
	}
	return c
}

func rotaryEmbeddings(norm string) checkpoint {
	c := checkpoint{
		"embeddings.word_embeddings.weight":       {vocab, hidden},
		"embeddings.token_type_embeddings.weight": {2, hidden},
	}
	c.norm(norm, hidden)
	return c
}

func jinaConfig() config {
	return bertConfig("bert").with("position_embedding_type", "alibi").with("feed_forward_type", "geglu")
}

// jinaTensors has the names of jina-embeddings-v2-base-en.
func jinaTensors() checkpoint {
	c := rotaryEmbeddings("embeddings.LayerNorm")
	return c.each("encoder.layer.%d.", func(at string) {
		for _, name := range []string{"self.query", "self.key", "self.value", "output.dense"} {
			c.linear(at+"attention."+name, hidden, hidden)
		}
		c.norm(at+"attention.output.LayerNorm", hidden)
		c[at+"mlp.gated_layers.weight"] = []int{2 * inner, hidden}
		c.linear(at+"mlp.wo", hidden, inner)
		c.norm(at+"mlp.layernorm", hidden)
	})
}

func nomicConfig() config {
	return bertConfig("nomic_bert").with("hidden_act", "silu")
}

// nomicTensors has the names that transformers' NomicBertModel saves.
func nomicTensors() checkpoint {
	c := rotaryEmbeddings("embeddings.LayerNorm")
	return c.each("layers.%d.", func(at string) {
		for _, name := range []string{"q_proj", "k_proj", "v_proj", "o_proj"} {
			c[at+"self_attn."+name+".weight"] = []int{hidden, hidden}
		}
		c[at+"mlp.gate_proj.weight"], c[at+"mlp.up_proj.weight"] = []int{inner, hidden}, []int{inner, hidden}
		c[at+"mlp.down_proj.weight"] = []int{hidden, inner}
		c.norm(at+"post_attention_layernorm", hidden)
		c.norm(at+"post_mlp_layernorm", hidden)
	})
}

func nomicHubConfig() config {
	return config{
		"model_type": "nomic_bert", "n_embd": hidden, "n_head": heads, "n_layer": layers, "n_inner": inner, "n_positions": positions,
		"vocab_size": vocab, "layer_norm_epsilon": 1e-12, "activation_function": "swiglu", "rotary_emb_base": 1000,
	}
}

// nomicHubTensors has the names of nomic-embed-text-v1.5.
func nomicHubTensors() checkpoint {
	c := rotaryEmbeddings("emb_ln")
	return c.each("encoder.layers.%d.", func(at string) {
		c[at+"attn.Wqkv.weight"], c[at+"attn.out_proj.weight"] = []int{3 * hidden, hidden}, []int{hidden, hidden}
		c[at+"mlp.fc11.weight"], c[at+"mlp.fc12.weight"] = []int{inner, hidden}, []int{inner, hidden}
		c[at+"mlp.fc2.weight"] = []int{hidden, inner}
		c.norm(at+"norm1", hidden)
		c.norm(at+"norm2", hidden)
	})
}

// experts are those of the second of the two layers, of which a token passes two.
const experts = 3

func nomicExpertsConfig() config {
	return nomicHubConfig().with("activation_function", "gelu").with("qkv_proj_bias", true).with("mlp_fc1_bias", true).with("mlp_fc2_bias", true).
		with("num_experts", experts).with("moe_every_n_layers", 2).with("moe_top_k", 2).with("moe_normalize_expert_weights", false)
}

// nomicExpertsTensors has the names of nomic-embed-text-v2-moe.
func nomicExpertsTensors() checkpoint {
	c := rotaryEmbeddings("emb_ln")
	return c.each("encoder.layers.%d.", func(at string) {
		c.linear(at+"attn.Wqkv", 3*hidden, hidden)
		c.linear(at+"attn.out_proj", hidden, hidden)
		if at == "encoder.layers.1." {
			c[at+"mlp.router.layer.weight"], c[at+"mlp.experts.bias"] = []int{experts, hidden}, []int{hidden}
			c[at+"mlp.experts.mlp.w1"], c[at+"mlp.experts.mlp.w2"] = []int{experts * inner, hidden}, []int{experts * inner, hidden}
		} else {
			c.linear(at+"mlp.fc1", inner, hidden)
			c.linear(at+"mlp.fc2", hidden, inner)
		}
		c.norm(at+"norm1", hidden)
		c.norm(at+"norm2", hidden)
	})
}

// gteTensors has the names that transformers' GteModel saves.
func gteTensors() checkpoint {
	c := rotaryEmbeddings("embeddings.LayerNorm")
	return c.each("layers.%d.", func(at string) {
		for _, name := range []string{"q_proj", "k_proj", "v_proj", "o_proj"} {
			c.linear(at+"self_attn."+name, hidden, hidden)
		}
		c[at+"mlp.gate_proj.weight"], c[at+"mlp.up_proj.weight"] = []int{inner, hidden}, []int{inner, hidden}
		c.linear(at+"mlp.down_proj", hidden, inner)
		c.norm(at+"post_attention_layernorm", hidden)
		c.norm(at+"post_mlp_layernorm", hidden)
	})
}

// gteHubTensors has the names of gte-multilingual-base and snowflake-arctic-embed-m-v2.0.
func gteHubTensors() checkpoint {
	c := rotaryEmbeddings("embeddings.LayerNorm")
	return c.each("encoder.layer.%d.", func(at string) {
		c.linear(at+"attention.qkv_proj", 3*hidden, hidden)
		c.linear(at+"attention.o_proj", hidden, hidden)
		c[at+"mlp.up_gate_proj.weight"] = []int{2 * inner, hidden}
		c.linear(at+"mlp.down_proj", hidden, inner)
		c.norm(at+"attn_ln", hidden)
		c.norm(at+"mlp_ln", hidden)
	})
}

// The decoders' heads: two of keys and values, wider than hidden/heads.
const keyHeads, headDim = 2, 6

func qwen3Config() config {
	return bertConfig("qwen3").with("hidden_act", "silu").with("num_key_value_heads", keyHeads).with("head_dim", headDim).with("rms_norm_eps", 1e-6)
}

// qwen3Tensors has the names of Qwen3-Embedding.
func qwen3Tensors() checkpoint {
	c := checkpoint{"embed_tokens.weight": {vocab, hidden}, "norm.weight": {hidden}}
	return c.each("layers.%d.", func(at string) {
		c.decoderLayer(at)
		c[at+"input_layernorm.weight"], c[at+"post_attention_layernorm.weight"] = []int{hidden}, []int{hidden}
	})
}

func (c checkpoint) decoderLayer(at string) {
	for name, shape := range map[string][]int{
		"self_attn.q_proj": {heads * headDim, hidden}, "self_attn.o_proj": {hidden, heads * headDim},
		"self_attn.k_proj": {keyHeads * headDim, hidden}, "self_attn.v_proj": {keyHeads * headDim, hidden},
		"self_attn.q_norm": {headDim}, "self_attn.k_norm": {headDim},
		"mlp.gate_proj": {inner, hidden}, "mlp.up_proj": {inner, hidden}, "mlp.down_proj": {hidden, inner},
	} {
		c[at+name+".weight"] = shape
	}
}

func gemma3Config() config {
	return qwen3Config().with("model_type", "gemma3_text").with("hidden_activation", "gelu_pytorch_tanh").
		with("query_pre_attn_scalar", 9).with("sliding_window", 8).with("sliding_window_pattern", 2)
}

// gemma3Tensors has the names of embeddinggemma-300m.
func gemma3Tensors() checkpoint {
	c := checkpoint{"embed_tokens.weight": {vocab, hidden}, "norm.weight": {hidden}}
	return c.each("layers.%d.", func(at string) {
		c.decoderLayer(at)
		for _, name := range []string{"input", "post_attention", "pre_feedforward", "post_feedforward"} {
			c[at+name+"_layernorm.weight"] = []int{hidden}
		}
	})
}

func readSpec(t *testing.T, c config, tensors checkpoint) *model.Spec {
	t.Helper()
	s, err := model.Read(repository(t, map[string]any{"config.json": c}), tensors)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestReadGemma3 holds the windows of both directions, the two bases, and the scales.
func TestReadGemma3(t *testing.T) {
	t.Parallel()
	for both, window := range map[bool]int{false: 7, true: 4} {
		s := readSpec(t, gemma3Config().with("use_bidirectional_attention", both), gemma3Tensors())
		local, global := s.Layers[0], s.Layers[1]
		if local.Window != window || global.Window != 0 || local.Causal == both || global.Causal == both {
			t.Errorf("both ways %t: windows %d and %d, causal %t", both, local.Window, global.Window, local.Causal)
		}
		if local.RotaryTheta != 10_000 || global.RotaryTheta != 1_000_000 {
			t.Errorf("bases %g and %g", local.RotaryTheta, global.RotaryTheta)
		}
		if s.ScoreScale != 1.0/3 || s.Embedding.Scale != math.Sqrt(hidden) || s.SharedBy() != 2 || !local.FFNResult.FromOne {
			t.Errorf("scales %g and %g, keys shared by %d", s.ScoreScale, s.Embedding.Scale, s.SharedBy())
		}
	}
	s := readSpec(t, gemma3Config().with("rope_scaling", map[string]any{"rope_type": "linear", "factor": 8.0}), gemma3Tensors())
	if s.Layers[0].RotaryDivisor != 0 || s.Layers[1].RotaryDivisor != 8 {
		t.Errorf("divisors %g and %g; the global layer alone is scaled", s.Layers[0].RotaryDivisor, s.Layers[1].RotaryDivisor)
	}
}

// TestReadDecoders holds which tokens a layer sees: what comes before alone, or not, and
// how far, in the four ways of the decoders and in BERT.
func TestReadDecoders(t *testing.T) {
	t.Parallel()
	sliding := qwen3Config().with("use_sliding_window", true).with("sliding_window", 9)
	kinds := []string{"sliding_attention", "full_attention"}
	for name, c := range map[string]struct {
		config  config
		tensors checkpoint
		causal  bool
		windows [2]int
	}{
		"qwen3":                   {qwen3Config(), qwen3Tensors(), true, [2]int{}},
		"qwen3, both ways":        {qwen3Config().with("is_causal", false), qwen3Tensors(), false, [2]int{}},
		"qwen3, a window it has":  {sliding, qwen3Tensors(), true, [2]int{}}, // from layer 28 on
		"qwen3, from layer 1":     {sliding.with("max_window_layers", 1), qwen3Tensors(), true, [2]int{0, 8}},
		"qwen3, by list":          {sliding.with("layer_types", kinds), qwen3Tensors(), true, [2]int{8, 0}},
		"qwen3, local both ways":  {sliding.with("layer_types", kinds).with("is_causal", false), qwen3Tensors(), false, [2]int{9, 0}},
		"qwen3, an unused window": {qwen3Config().with("sliding_window", 9).with("max_window_layers", 0), qwen3Tensors(), true, [2]int{}},
		"gemma3":                  {gemma3Config(), gemma3Tensors(), true, [2]int{7, 0}},
		"gemma3, not causal":      {gemma3Config().with("is_causal", false), gemma3Tensors(), false, [2]int{8, 0}},
		"gemma3, no period":       {gemma3Config().with("sliding_window_pattern", nil), gemma3Tensors(), true, [2]int{7, 7}},
		"bert, a decoder":         {bertConfig("bert").with("is_decoder", true), bertTensors(2), true, [2]int{}},
		"roberta, a decoder":      {bertConfig("roberta").with("is_decoder", true), bertTensors(2), true, [2]int{}},
		"bert":                    {bertConfig("bert"), bertTensors(2), false, [2]int{}},
	} {
		s := readSpec(t, c.config, c.tensors)
		for i, l := range s.Layers {
			if l.Causal != c.causal || l.Window != c.windows[i] {
				t.Errorf("%s: layer %d is causal %t with a window of %d, want %t and %d", name, i, l.Causal, l.Window, c.causal, c.windows[i])
			}
		}
	}
}

// TestReadGTEBase: a file that names no base means transformers' or Alibaba-NLP's.
func TestReadGTEBase(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]float64{"gte": 160_000, "new": 10_000} {
		if l := readSpec(t, bertConfig(kind), gteTensors()).Layers[0]; l.RotaryTheta != want {
			t.Errorf("%s: base %g, want %g", kind, l.RotaryTheta, want)
		}
	}
}

// TestReadGTEScaling works the two formulas of Alibaba-NLP's NTK scaling out by hand:
// heads of 2 values, factor 2.
func TestReadGTEScaling(t *testing.T) {
	t.Parallel()
	s := readSpec(t, bertConfig("new").with("rope_theta", 500.0).with("rope_scaling", map[string]any{"type": "ntk", "factor": 2.0}), gteHubTensors())
	if l := s.Layers[1]; l.RotaryTheta != 1000 || l.RotaryDivisor != 2 {
		t.Errorf("base %g, divisor %g", l.RotaryTheta, l.RotaryDivisor)
	}
	if l := s.Layers[0]; l.FFN.Gate.Weight.First != 0 || l.FFN.Up.Weight.First != inner {
		t.Errorf("up_gate_proj holds the gated rows first: %+v", l.FFN)
	}
}

// TestSlopes holds ALiBi's slopes to the paper's: 1/2, 1/4, … for eight heads, and
// for twelve those of eight and then every second of sixteen.
func TestSlopes(t *testing.T) {
	t.Parallel()
	s := readSpec(t, jinaConfig(), jinaTensors())
	if want := []float64{1. / 4, 1. / 16, 1. / 64, 1. / 256}; !slices.Equal(s.Slopes, want) {
		t.Errorf("4 heads: %v, want %v", s.Slopes, want)
	}
	wide := jinaTensors()
	for name, shape := range wide {
		for i, n := range shape {
			if n == hidden {
				shape[i] = 12
			}
		}
		wide[name] = shape
	}
	s = readSpec(t, jinaConfig().with("hidden_size", 12).with("num_attention_heads", 12), wide)
	want := []float64{.5, .25, .125, .0625, .03125, .015625, .0078125, .00390625, math.Exp2(-.5), math.Exp2(-1.5), math.Exp2(-2.5), math.Exp2(-3.5)}
	if !slices.Equal(s.Slopes, want) {
		t.Errorf("12 heads: %v, want %v", s.Slopes, want)
	}
}

func TestReadStatic(t *testing.T) {
	t.Parallel()
	repo := repository(t, map[string]any{"modules.json": []any{module(oldNames+"StaticEmbedding", "")}})
	for _, name := range []string{"embedding.weight", "embeddings"} {
		s, err := model.Read(repo, checkpoint{name: {vocab, hidden}})
		if err != nil || s.Dim() != hidden || s.Embedding.Vocab != vocab || len(s.Layers) != 0 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	for name, c := range map[string]checkpoint{
		"nothing": {}, "a vector": {"embeddings": {vocab}}, "no rows": {"embeddings": {0, hidden}},
		"weights of tokens": {"embeddings": {vocab, hidden}, "weights": {vocab}},
	} {
		if s, err := model.Read(repo, c); err == nil {
			t.Errorf("%s was taken: %+v", name, s)
		}
	}
}
