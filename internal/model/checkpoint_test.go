package model_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/paceline/paceline/internal/model"
)

// checkpoint is a checkpoint of zeros: a shape for each tensor's name.
type checkpoint map[string][]int

func (c checkpoint) Names() []string { return slices.Sorted(maps.Keys(c)) }

func (c checkpoint) Tensor(name string) (model.Tensor, bool) {
	shape, ok := c[name]
	if !ok {
		return model.Tensor{}, false
	}
	size := 4
	for _, n := range shape {
		size *= n
	}
	return model.Tensor{DType: "F32", Shape: shape, Data: make([]byte, size)}, true
}

func (c checkpoint) linear(name string, out, in int) {
	c[name+".weight"], c[name+".bias"] = []int{out, in}, []int{out}
}

func (c checkpoint) norm(name string, width int) {
	c[name+".weight"], c[name+".bias"] = []int{width}, []int{width}
}

func (c checkpoint) renamed(rename func(string) string) checkpoint {
	out := checkpoint{}
	for name, shape := range c {
		out[rename(name)] = shape
	}
	return out
}

// The sizes of every checkpoint below: small, and all different.
const (
	hidden, inner, layers, heads, vocab, positions = 8, 12, 2, 4, 11, 10
)

// bertTensors has the names that transformers' BertModel and RobertaModel save.
func bertTensors(types int) checkpoint {
	c := checkpoint{
		"embeddings.word_embeddings.weight":       {vocab, hidden},
		"embeddings.position_embeddings.weight":   {positions, hidden},
		"embeddings.token_type_embeddings.weight": {types, hidden},
	}
	c.norm("embeddings.LayerNorm", hidden)
	for i := range layers {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		for _, name := range []string{"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"} {
			c.linear(at+name, hidden, hidden)
		}
		c.norm(at+"attention.output.LayerNorm", hidden)
		c.linear(at+"intermediate.dense", inner, hidden)
		c.linear(at+"output.dense", hidden, inner)
		c.norm(at+"output.LayerNorm", hidden)
	}
	return c
}

// mpnetTensors has the names that transformers' MPNetModel saves.
func mpnetTensors() checkpoint {
	c := checkpoint{
		"embeddings.word_embeddings.weight":      {vocab, hidden},
		"embeddings.position_embeddings.weight":  {positions, hidden},
		"encoder.relative_attention_bias.weight": {32, heads},
	}
	c.norm("embeddings.LayerNorm", hidden)
	for i := range layers {
		at := fmt.Sprintf("encoder.layer.%d.", i)
		for _, name := range []string{"q", "k", "v", "o"} {
			c.linear(at+"attention.attn."+name, hidden, hidden)
		}
		c.norm(at+"attention.LayerNorm", hidden)
		c.linear(at+"intermediate.dense", inner, hidden)
		c.linear(at+"output.dense", hidden, inner)
		c.norm(at+"output.LayerNorm", hidden)
	}
	return c
}

// distilBERTTensors has the names that transformers' DistilBertModel saves.
func distilBERTTensors() checkpoint {
	c := checkpoint{
		"embeddings.word_embeddings.weight":     {vocab, hidden},
		"embeddings.position_embeddings.weight": {positions, hidden},
	}
	c.norm("embeddings.LayerNorm", hidden)
	for i := range layers {
		at := fmt.Sprintf("transformer.layer.%d.", i)
		for _, name := range []string{"q_lin", "k_lin", "v_lin", "out_lin"} {
			c.linear(at+"attention."+name, hidden, hidden)
		}
		c.norm(at+"sa_layer_norm", hidden)
		c.linear(at+"ffn.lin1", inner, hidden)
		c.linear(at+"ffn.lin2", hidden, inner)
		c.norm(at+"output_layer_norm", hidden)
	}
	return c
}

// modernBERTTensors has the names that transformers' ModernBertModel saves.
func modernBERTTensors() checkpoint {
	c := checkpoint{
		"embeddings.tok_embeddings.weight": {vocab, hidden},
		"embeddings.norm.weight":           {hidden},
		"final_norm.weight":                {hidden},
	}
	for i := range layers {
		at := fmt.Sprintf("layers.%d.", i)
		c[at+"attn.Wqkv.weight"], c[at+"attn.Wo.weight"] = []int{3 * hidden, hidden}, []int{hidden, hidden}
		c[at+"mlp.Wi.weight"], c[at+"mlp.Wo.weight"] = []int{2 * inner, hidden}, []int{hidden, inner}
		c[at+"mlp_norm.weight"] = []int{hidden}
		if i > 0 {
			c[at+"attn_norm.weight"] = []int{hidden}
		}
	}
	return c
}

// config is a config.json as Go values.
type config map[string]any

func (c config) with(key string, value any) config {
	c = maps.Clone(c)
	c[key] = value
	return c
}

func bertConfig(modelType string) config {
	return config{
		"model_type": modelType, "hidden_size": hidden, "intermediate_size": inner,
		"num_hidden_layers": layers, "num_attention_heads": heads, "vocab_size": vocab,
		"max_position_embeddings": positions, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
	}
}

func distilBERTConfig() config {
	return config{
		"model_type": "distilbert", "dim": hidden, "hidden_dim": inner, "n_layers": layers,
		"n_heads": heads, "vocab_size": vocab, "max_position_embeddings": positions, "activation": "gelu",
	}
}

func modernBERTConfig() config {
	return config{
		"model_type": "modernbert", "hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers,
		"num_attention_heads": heads, "vocab_size": vocab, "max_position_embeddings": positions, "hidden_activation": "gelu",
		"local_attention": 6, "global_rope_theta": 160000.0, "local_rope_theta": 10000.0,
	}
}

// repository makes a file system of JSON files.
func repository(t testing.TB, files map[string]any) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	for name, content := range files {
		data, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = &fstest.MapFile{Data: data}
	}
	return out
}

// parts collects every tensor part that a Spec names.
func parts(v reflect.Value) []model.Part {
	if p, ok := v.Interface().(model.Part); ok {
		if p.IsZero() {
			return nil
		}
		return []model.Part{p}
	}
	var list []model.Part
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			list = append(list, parts(v.Field(i))...)
		}
	case reflect.Slice:
		for i := range v.Len() {
			list = append(list, parts(v.Index(i))...)
		}
	}
	return list
}
