package model_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/paceline/paceline/internal/model"
)

func module(class, path string) map[string]any { return map[string]any{"type": class, "path": path} }

const oldNames = "sentence_transformers.models."

func TestReadModules(t *testing.T) {
	t.Parallel()
	oldPooling := map[string]any{
		"word_embedding_dimension": hidden, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true,
		"pooling_mode_max_tokens": false, "pooling_mode_mean_sqrt_len_tokens": false, "include_prompt": false,
	}
	for _, c := range []struct {
		name  string
		files map[string]any
		want  model.Modules
	}{
		{"none", map[string]any{}, model.Modules{Transformer: ".", Pooling: []model.PoolingMode{model.PoolMean}, IncludePrompt: true}},
		{"old spellings", map[string]any{
			"modules.json":          []any{module(oldNames+"Transformer", ""), module(oldNames+"Pooling", "1_Pooling"), module(oldNames+"Normalize", "2_Normalize")},
			"1_Pooling/config.json": oldPooling,
		}, model.Modules{Transformer: ".", Pooling: []model.PoolingMode{model.PoolCLS, model.PoolMean}, Normalize: true}},
		{"new spellings", map[string]any{
			"modules.json": []any{
				module("sentence_transformers.base.modules.transformer.Transformer", ""),
				module("sentence_transformers.sentence_transformer.modules.pooling.Pooling", "1_Pooling"),
				module("sentence_transformers.base.modules.dense.Dense", "2_Dense"),
			},
			"1_Pooling/config.json": map[string]any{"embedding_dimension": hidden, "pooling_mode": "lasttoken"},
		}, model.Modules{Transformer: ".", Pooling: []model.PoolingMode{model.PoolLast}, IncludePrompt: true, After: []model.Module{{Name: "Dense", Folder: "2_Dense"}}}},
		{"a mean of layers, a norm", map[string]any{
			"modules.json": []any{module(oldNames+"Transformer", ""), module(oldNames+"WeightedLayerPooling", "1_W"), module(oldNames+"Pooling", "2_P"),
				module(oldNames+"Dropout", "3_D"), module(oldNames+"LayerNorm", "4_L")},
			"2_P/config.json": map[string]any{"pooling_mode": "mean"},
		}, model.Modules{Transformer: ".", Pooling: []model.PoolingMode{model.PoolMean}, IncludePrompt: true, LayerMix: "1_W", After: []model.Module{{Name: "LayerNorm", Folder: "4_L"}}}},
		{"several by name, in their order", map[string]any{
			"modules.json":          []any{module(oldNames+"Transformer", "0_Transformer"), module(oldNames+"Pooling", "1_Pooling")},
			"1_Pooling/config.json": map[string]any{"pooling_mode": []string{"mean", "max"}},
		}, model.Modules{Transformer: "0_Transformer", Pooling: []model.PoolingMode{model.PoolMean, model.PoolMax}, IncludePrompt: true}},
		{"nothing switched on", map[string]any{
			"modules.json":          []any{module(oldNames+"Transformer", ""), module(oldNames+"Pooling", "1_Pooling")},
			"1_Pooling/config.json": map[string]any{"pooling_mode_mean_tokens": false},
		}, model.Modules{Transformer: ".", Pooling: []model.PoolingMode{model.PoolMean}, IncludePrompt: true}},
	} {
		got, err := model.ReadModules(repository(t, c.files))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got.Transformer != c.want.Transformer || got.Normalize != c.want.Normalize || got.IncludePrompt != c.want.IncludePrompt ||
			!slices.Equal(got.Pooling, c.want.Pooling) || !slices.Equal(got.After, c.want.After) || got.LayerMix != c.want.LayerMix {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestReadModulesRefuses(t *testing.T) {
	t.Parallel()
	transformer, pooling := module(oldNames+"Transformer", ""), module(oldNames+"Pooling", "1_Pooling")
	for _, c := range []struct {
		name    string
		modules any
		pooling any
		want    string
	}{
		{"not a list", 5, nil, "modules.json"},
		{"empty", []any{}, nil, "no Pooling"},
		{"foreign code", []any{module("custom_st.Transformer", "")}, nil, `"custom_st.Transformer"`},
		{"unknown module", []any{transformer, module(oldNames+"LSTM", "1_LSTM")}, nil, "LSTM"},
		{"no transformer", []any{module(oldNames+"Pooling", "")}, nil, "first"},
		{"a router", []any{module(oldNames+"Router", "")}, nil, "save one of its routes"},
		{"a router under its old name", []any{transformer, pooling, module(oldNames+"Asym", "")}, map[string]any{}, "save one of its routes"},
		{"a mean of layers too late", []any{transformer, pooling, module(oldNames+"WeightedLayerPooling", "2")}, map[string]any{}, "WeightedLayerPooling"},
		{"two means of layers", []any{transformer, module(oldNames+"WeightedLayerPooling", "1"), module(oldNames+"WeightedLayerPooling", "2"), pooling}, map[string]any{}, "WeightedLayerPooling"},
		{"a norm too early", []any{transformer, module(oldNames+"LayerNorm", "1"), pooling}, map[string]any{}, "LayerNorm"},
		{"pooling of a static embedding", []any{module(oldNames+"StaticEmbedding", ""), pooling}, map[string]any{}, "second Pooling"},
		{"outside", []any{transformer, module(oldNames+"Pooling", "../1_Pooling")}, nil, `"../1_Pooling"`},
		{"absolute", []any{module(oldNames+"Transformer", "/etc")}, nil, `"/etc"`},
		{"pooling missing", []any{transformer, pooling}, nil, "1_Pooling"},
		{"pooling twice", []any{transformer, pooling, pooling}, map[string]any{}, "second Pooling"},
		{"dense first", []any{transformer, module(oldNames+"Dense", "1_Dense"), pooling}, map[string]any{}, "Dense"},
		{"behind normalize", []any{transformer, pooling, module(oldNames+"Normalize", ""), module(oldNames+"Dense", "3_Dense")}, map[string]any{}, "behind Normalize"},
		{"unknown mode", []any{transformer, pooling}, map[string]any{"pooling_mode": "median"}, `"median"`},
		{"mode twice", []any{transformer, pooling}, map[string]any{"pooling_mode": []string{"mean", "mean"}}, "twice"},
		{"mode a number", []any{transformer, pooling}, map[string]any{"pooling_mode": 3}, "number"},
	} {
		files := map[string]any{"modules.json": c.modules}
		if c.pooling != nil {
			files["1_Pooling/config.json"] = c.pooling
		}
		if _, err := model.ReadModules(repository(t, files)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.want)
		}
	}
}

// TestReadNormalize: most have no file; what is said in one must be of the vector.
func TestReadNormalize(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]config{
		"":              {"module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding"},
		`"tokens"`:      {"module_input_name": "tokens"},
		`"elsewhere"`:   {"module_output_name": "elsewhere"},
		`2_Normalize/c`: {"module_input_name": 7},
	} {
		m, err := model.ReadModules(repository(t, map[string]any{
			"modules.json":            []any{module(oldNames+"Transformer", ""), module(oldNames+"Pooling", "1_Pooling"), module(oldNames+"Normalize", "2_Normalize")},
			"1_Pooling/config.json":   map[string]any{},
			"2_Normalize/config.json": c,
		}))
		if want == "" {
			if err != nil || !m.Normalize {
				t.Errorf("%+v, %v", m, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it to say %q", err, want)
		}
	}
}

func TestReadDense(t *testing.T) {
	t.Parallel()
	files := map[string]any{
		"config.json":           bertConfig("bert"),
		"modules.json":          []any{module(oldNames+"Transformer", ""), module(oldNames+"Pooling", "1_Pooling"), module(oldNames+"Dense", "2_Dense")},
		"1_Pooling/config.json": map[string]any{"pooling_mode": []string{"cls", "mean"}, "embedding_dimension": hidden},
	}
	tensors := bertTensors(2)
	tensors["2_Dense/linear.weight"], tensors["2_Dense/linear.bias"] = []int{3, 2 * hidden}, []int{3}
	dense := config{"in_features": 2 * hidden, "out_features": 3, "bias": true, "activation_function": "torch.nn.modules.activation.Tanh"}
	for _, c := range []struct {
		name, key string
		value     any
		want      string // of the error; "" for none
	}{
		{"as it is", "bias", true, ""},
		{"without bias", "bias", false, ""},
		{"identity", "activation_function", "torch.nn.modules.linear.Identity", ""},
		{"too wide", "in_features", hidden, "in_features is 8; the vector before it has 16"},
		{"negative", "out_features", -3, "out_features is -3"},
		{"foreign activation", "activation_function", "os.system", "os.system"},
		{"residual", "use_residual", true, "use_residual"},
		{"tokens", "module_input_name", "token_embeddings", "token_embeddings"},
		{"another output", "module_output_name", "elsewhere", `module_output_name "elsewhere"`},
		{"its output by name", "module_output_name", "sentence_embedding", ""},
		{"activation of its own", "activation_function", "mine.GELU", "mine.GELU"},
		{"out of shape", "out_features", 4, "2_Dense/linear.weight"},
	} {
		files := maps.Clone(files)
		files["2_Dense/config.json"] = dense.with(c.key, c.value)
		s, err := model.Read(repository(t, files), tensors)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want it to say %q", c.name, err, c.want)
			}
			continue
		}
		if err != nil || s.Dim() != 3 || len(s.Dense) != 1 || !slices.Contains(s.Choices(), model.ChoiceDense) {
			t.Errorf("%s: %+v, %v", c.name, s, err)
		}
	}
}

// FuzzRead holds that no configuration makes Read panic, and that whatever it
// accepts names parts that are there.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"model_type":"bert","hidden_size":8,"intermediate_size":12,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":11,"max_position_embeddings":10}`),
		[]byte(`[{"type":"sentence_transformers.models.Transformer","path":""},{"type":"sentence_transformers.models.Pooling","path":"1_Pooling"}]`),
		[]byte(`{"pooling_mode_mean_tokens":true}`))
	f.Add([]byte(`{"model_type":"mpnet","hidden_size":-1}`), []byte(`[]`), []byte(`{"pooling_mode":["cls"]}`))
	f.Add([]byte(`{"model_type":"roberta","hidden_size":8,"pad_token_id":9223372036854775807}`), []byte(`null`), []byte(`{}`))
	tensors := bertTensors(2)
	f.Fuzz(func(t *testing.T, config, modules, pooling []byte) {
		repo := fstest.MapFS{"config.json": {Data: config}, "modules.json": {Data: modules}, "1_Pooling/config.json": {Data: pooling}}
		s, err := model.Read(repo, tensors)
		if err != nil {
			return
		}
		if s.Dim() < 1 || s.MaxPositions < 1 {
			t.Errorf("accepted a model of %d dimensions and %d positions", s.Dim(), s.MaxPositions)
		}
		for _, l := range s.Layers {
			if _, ok := l.Query.Weight.Of(tensors); !ok {
				t.Errorf("accepted a layer without its tensors: %+v", l)
			}
		}
	})
}
