package model_test

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/paceline/paceline/internal/model"
)

type family struct {
	name    string
	config  config
	tensors checkpoint
}

func families() []family {
	return []family{
		{"bert", bertConfig("bert"), bertTensors(2)},
		{"roberta", bertConfig("roberta").with("type_vocab_size", 1).with("pad_token_id", 1), bertTensors(1)},
		{"xlm-roberta", bertConfig("xlm-roberta").with("type_vocab_size", 1), bertTensors(1)},
		{"camembert", bertConfig("camembert").with("type_vocab_size", 1), bertTensors(1)},
		{"distilbert", distilBERTConfig(), distilBERTTensors()},
		{"jina", jinaConfig(), jinaTensors()},
		{"nomic_bert", nomicConfig(), nomicTensors()},
		{"nomic_bert of nomic-ai", nomicHubConfig(), nomicHubTensors()},
		{"nomic_bert with experts", nomicExpertsConfig(), nomicExpertsTensors()},
		{"gte", bertConfig("gte"), gteTensors()},
		{"new", bertConfig("new").with("rope_scaling", map[string]any{"type": "ntk", "factor": 2.0}), gteHubTensors()},
		{"qwen3", qwen3Config(), qwen3Tensors()},
		{"gemma3_text", gemma3Config(), gemma3Tensors()},
		{"modernbert", modernBERTConfig(), modernBERTTensors()},
		{"mpnet", bertConfig("mpnet"), mpnetTensors()},
	}
}

// TestReadNamesEveryTensor holds that a family leaves nothing of its checkpoint
// out and names nothing twice, under any prefix and under the oldest names.
func TestReadNamesEveryTensor(t *testing.T) {
	t.Parallel()
	renamings := map[string]func(string) string{
		"bare":     func(s string) string { return s },
		"prefixed": func(s string) string { return "model." + s },
		"oldest": strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta",
			"layer_norm.weight", "layer_norm.gamma", "layer_norm.bias", "layer_norm.beta").Replace,
	}
	for _, f := range families() {
		for style, rename := range renamings {
			tensors := f.tensors.renamed(rename)
			s, err := model.Read(repository(t, map[string]any{"config.json": f.config}), tensors)
			if err != nil {
				t.Errorf("%s, %s: %v", f.name, style, err)
				continue
			}
			rows := map[string]int{} // a fused tensor has several parts
			for _, p := range parts(reflect.ValueOf(*s)) {
				rows[p.Name] += p.Rows
				if _, ok := p.Of(tensors); !ok {
					t.Errorf("%s, %s: %+v is not to be had", f.name, style, p)
				}
			}
			for name, shape := range tensors {
				if rows[name] != shape[0] {
					t.Errorf("%s, %s: the Spec names %d rows of %s, which has %d", f.name, style, rows[name], name, shape[0])
				}
			}
		}
	}
}

// TestReadRefusesEveryGap takes each tensor away, and each out of shape, in turn.
func TestReadRefusesEveryGap(t *testing.T) {
	t.Parallel()
	for _, f := range families() {
		repo := repository(t, map[string]any{"config.json": f.config})
		for _, name := range f.tensors.Names() {
			shape := f.tensors[name]
			f.tensors[name] = append([]int{shape[0] + 1}, shape[1:]...)
			if _, err := model.Read(repo, f.tensors); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s with %s out of shape: %v", f.name, name, err)
			}
			delete(f.tensors, name)
			if _, err := model.Read(repo, f.tensors); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s without %s: %v", f.name, name, err)
			}
			f.tensors[name] = shape
		}
	}
}

func TestReadSizes(t *testing.T) {
	t.Parallel()
	common := []model.Choice{model.ChoicePositionTable, model.ChoicePostNorm, model.ChoiceActivation(model.GELU), model.ChoicePooling(model.PoolMean)}
	for _, c := range []struct {
		family       string
		maxPositions int
		first        int
		pad          int32
		types        int
		choices      []model.Choice
	}{
		{"bert", positions, 0, -1, 2, common},
		{"distilbert", positions, 0, -1, 0, common},
		{"roberta", positions - 2, 2, 1, 1, common},
		{"xlm-roberta", positions - 2, 2, 1, 1, common},
		{"modernbert", positions, 0, -1, 0, []model.Choice{
			model.ChoicePreNorm, model.ChoiceRotary, model.ChoiceWindow, model.ChoiceGatedFFN,
			model.ChoiceActivation(model.GELU), model.ChoicePooling(model.PoolMean)}},
		{"mpnet", positions - 2, 2, 1, 0, append(slices.Clone(common), model.ChoiceRelativeBias)},
	} {
		all := families()
		f := all[slices.IndexFunc(all, func(f family) bool { return f.name == c.family })]
		s, err := model.Read(repository(t, map[string]any{"config.json": f.config}), f.tensors)
		if err != nil {
			t.Errorf("%s: %v", c.family, err)
			continue
		}
		if s.Dim() != hidden || s.HeadDim != hidden/heads || len(s.Layers) != layers || s.Embedding.Vocab != vocab {
			t.Errorf("%s: %+v", c.family, s)
		}
		e := s.Embedding
		if s.MaxPositions != c.maxPositions || e.FirstPosition != c.first || e.PadToken != c.pad || e.TokenTypes.Rows != c.types {
			t.Errorf("%s: %d positions from row %d, pad %d, %d token types", c.family, s.MaxPositions, e.FirstPosition, e.PadToken, e.TokenTypes.Rows)
		}
		if got := s.Choices(); !sameSet(got, c.choices) {
			t.Errorf("%s asks for %q, want %q", c.family, got, c.choices)
		}
	}
}

func sameSet(a, b []model.Choice) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func TestReadRefusesConfigs(t *testing.T) {
	t.Parallel()
	base := bertConfig("bert")
	for _, c := range []struct {
		name   string
		config any
		want   string
	}{
		{"no family", base.with("model_type", "resnet"), `"resnet"`},
		{"family of a wrong type", base.with("model_type", 7), "model_type"},
		{"not an object", []int{1}, "JSON array"},
		{"negative", base.with("num_hidden_layers", -1), "num_hidden_layers is -1"},
		{"zero", base.with("hidden_size", 0), "hidden_size is 0"},
		{"missing", base.with("intermediate_size", nil), "intermediate_size is 0"},
		{"huge", base.with("num_hidden_layers", 1<<40), "num_hidden_layers is 1099511627776"},
		{"beyond an int", base.with("hidden_size", 1e30), "hidden_size"},
		{"a fraction", base.with("hidden_size", 8.5), "hidden_size"},
		{"a string", base.with("vocab_size", "11"), `"vocab_size" is a JSON string`},
		{"heads do not divide", base.with("num_attention_heads", 3), "num_attention_heads 3 does not divide"},
		{"no heads", base.with("num_attention_heads", 0), "num_attention_heads 0"},
		{"more layers than tensors", base.with("num_hidden_layers", 3), "encoder.layer.2."},
		{"epsilon", base.with("layer_norm_eps", -1e-12), "layer_norm_eps is -1e-12"},
		{"activation", base.with("hidden_act", "relu2"), `activation "relu2"`},
		{"relative positions", base.with("position_embedding_type", "relative_key"), `"relative_key"`},
		{"padding outside", bertConfig("roberta").with("pad_token_id", 100), "pad_token_id is 100"},
		{"a head of odd width", nomicConfig().with("num_attention_heads", 8), "even number"},
		{"an unknown rope", bertConfig("gte").with("rope_parameters", map[string]any{"rope_type": "yarn"}), `"yarn"`},
		{"a base of 1", bertConfig("gte").with("rope_theta", 1.0), "rotary base is 1"},
		{"a factor of 0", bertConfig("new").with("rope_scaling", map[string]any{"type": "ntk"}), "factor is 0"},
		{"experts all of whom share", nomicExpertsConfig().with("num_shared_experts", 1), "num_shared_experts 1"},
		{"experts who choose", nomicExpertsConfig().with("expert_choice_router", true), "expert_choice_router true"},
		{"normalized experts", nomicExpertsConfig().with("moe_normalize_expert_weights", 1.0), "moe_normalize_expert_weights 1"},
		{"no experts", nomicExpertsConfig().with("num_experts", 0), "num_experts is 0"},
		{"too few experts", nomicExpertsConfig().with("moe_top_k", 4), "moe_top_k is 4"},
		{"a causal Nomic", nomicHubConfig().with("causal", true), "causal true"},
		{"unscaled scores", nomicHubConfig().with("scale_attn_weights", false), "scale_attn_weights false"},
		{"interleaved", nomicHubConfig().with("rotary_emb_interleaved", true), "interleaved"},
		{"a foreign activation", nomicHubConfig().with("activation_function", "glu"), `activation_function "glu"`},
		{"plain feed-forward with alibi", jinaConfig().with("feed_forward_type", "original"), `"original"`},
		{"endless alibi", jinaConfig().with("max_position_embeddings", 1<<20), "max_position_embeddings"},
		{"heads that do not share", qwen3Config().with("num_key_value_heads", 3), "num_key_value_heads 3"},
		{"local layers without a window", qwen3Config().with("layer_types", []string{"full_attention", "sliding_attention"}), "use_sliding_window is false"},
		{"a window of nothing", qwen3Config().with("use_sliding_window", true).with("sliding_window", 1), "sliding_window is 1"},
		{"few buckets", bertConfig("mpnet").with("relative_attention_num_buckets", 16), "relative_attention_num_buckets is 16"},
		{"a soft cap", gemma3Config().with("attn_logit_softcapping", 50.0), "attn_logit_softcapping"},
		{"too few layer types", gemma3Config().with("layer_types", []string{"full_attention"}), "layer_types has 1"},
		{"an unknown layer type", gemma3Config().with("layer_types", []string{"full_attention", "linear"}), `"linear"`},
		{"no window", gemma3Config().with("sliding_window", 0), "sliding_window is 0"},
		{"scores by nothing", gemma3Config().with("query_pre_attn_scalar", 0), "query_pre_attn_scalar"},
		{"padding negative", bertConfig("roberta").with("pad_token_id", -3), "pad_token_id is -3"},
	} {
		_, err := model.Read(repository(t, map[string]any{"config.json": c.config}), bertTensors(2))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "config.json") {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.want)
		}
	}
	var unknown *model.UnknownFamilyError
	_, err := model.Read(repository(t, map[string]any{"config.json": base.with("model_type", "resnet")}), bertTensors(2))
	if !errors.As(err, &unknown) || unknown.ModelType != "resnet" || !errors.Is(err, model.ErrUnsupported) {
		t.Errorf("unknown family: %v", err)
	}
	if _, err := model.Read(fstest.MapFS{}, bertTensors(2)); err == nil {
		t.Error("an empty repository is no model")
	}
	if _, err := model.Read(repository(t, map[string]any{"config.json": base}), checkpoint{}); err == nil {
		t.Error("an empty checkpoint is no model")
	}
}

// TestReadModernBERT holds the two spellings of which layer is local, and how
// fused weights are taken apart.
func TestReadModernBERT(t *testing.T) {
	t.Parallel()
	old := modernBERTConfig()
	newer := config{}
	for key, value := range old {
		if !strings.HasSuffix(key, "_rope_theta") {
			newer[key] = value
		}
	}
	newer["layer_types"] = []string{"full_attention", "sliding_attention"}
	newer["rope_parameters"] = map[string]any{
		"full_attention":    map[string]any{"rope_type": "default", "rope_theta": 160000.0},
		"sliding_attention": map[string]any{"rope_type": "default", "rope_theta": 10000.0},
	}
	for spelling, c := range map[string]config{"old": old, "new": newer} {
		s, err := model.Read(repository(t, map[string]any{"config.json": c}), modernBERTTensors())
		if err != nil {
			t.Errorf("%s spelling: %v", spelling, err)
			continue
		}
		first, second := s.Layers[0], s.Layers[1]
		if first.Window != 0 || first.RotaryTheta != 160000 || second.Window != 3 || second.RotaryTheta != 10000 {
			t.Errorf("%s spelling: windows %d and %d, bases %g and %g", spelling, first.Window, second.Window, first.RotaryTheta, second.RotaryTheta)
		}
		if !first.PreAttention.IsZero() || second.PreAttention.IsZero() || s.FinalNorm.IsZero() {
			t.Errorf("%s spelling: the first layer alone has no norm before attention", spelling)
		}
		if k, g := second.Key.Weight, second.FFN.Gate.Weight; k != (model.Part{Name: "layers.1.attn.Wqkv.weight", First: hidden, Rows: hidden}) ||
			g != (model.Part{Name: "layers.1.mlp.Wi.weight", First: inner, Rows: inner}) {
			t.Errorf("%s spelling: key %+v, gate %+v", spelling, k, g)
		}
	}
	for key, value := range map[string]any{
		"layer_types": []string{"full_attention"}, "local_attention": 1, "global_attn_every_n_layers": 0, "local_rope_theta": 0.5,
		"rope_scaling": map[string]any{"rope_type": "yarn"}, "rope_parameters": map[string]any{"full_attention": map[string]any{"rope_type": "yarn"}},
	} {
		if _, err := model.Read(repository(t, map[string]any{"config.json": old.with(key, value)}), modernBERTTensors()); err == nil {
			t.Errorf("%s %v was accepted", key, value)
		}
	}
}

// typed gives a checkpoint's tensors another type.
type typed struct {
	checkpoint
	dtype string
	bytes int
}

func (c typed) Tensor(name string) (model.Tensor, bool) {
	t, ok := c.checkpoint.Tensor(name)
	t.DType, t.Data = c.dtype, t.Data[:len(t.Data)/4*c.bytes]
	return t, ok
}

func TestReadTensorTypes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dtype string
		bytes int
		ok    bool
	}{{"F32", 4, true}, {"F16", 2, true}, {"BF16", 2, true}, {"I8", 1, false}, {"F64", 4, false}, {"F32", 2, false}} {
		_, err := model.Read(repository(t, map[string]any{"config.json": bertConfig("bert")}), typed{bertTensors(2), c.dtype, c.bytes})
		if (err == nil) != c.ok {
			t.Errorf("%s of %d bytes a value: %v", c.dtype, c.bytes, err)
		}
	}
}

func TestRequire(t *testing.T) {
	t.Parallel()
	all := families()
	mpnet := all[len(all)-1]
	s, err := model.Read(repository(t, map[string]any{"config.json": mpnet.config}), mpnet.tensors)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Require("test", s.Choices()...); err != nil {
		t.Errorf("an engine that does everything: %v", err)
	}
	err = s.Require("test", model.ChoicePositionTable, model.ChoicePostNorm, model.ChoicePooling(model.PoolMean))
	var unsupported *model.UnsupportedError
	if !errors.As(err, &unsupported) || !sameSet(unsupported.Missing, []model.Choice{model.ChoiceRelativeBias, model.ChoiceActivation(model.GELU)}) {
		t.Errorf("an engine that lacks two things: %v", err)
	}
	if !errors.Is(err, model.ErrUnsupported) {
		t.Errorf("%v is no ErrUnsupported", err)
	}
	if want := "a mpnet model needs relative position bias, activation gelu: not implemented by the test engine"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

func TestPartOf(t *testing.T) {
	t.Parallel()
	tensors := checkpoint{"w": {6, 2}}
	got, ok := model.Part{Name: "w", First: 2, Rows: 3}.Of(tensors)
	if !ok || !slices.Equal(got.Shape, []int{3, 2}) || len(got.Data) != 3*2*4 {
		t.Errorf("rows 2 to 4: %v, %d bytes, %v", got.Shape, len(got.Data), ok)
	}
	for _, p := range []model.Part{{Name: "w", First: 4, Rows: 3}, {Name: "w", First: -1, Rows: 2}, {Name: "w"}, {Name: "v", Rows: 1}, {Name: "w", First: math.MaxInt, Rows: 2}} {
		if _, ok := p.Of(tensors); ok {
			t.Errorf("%+v is inside no tensor", p)
		}
	}
}
