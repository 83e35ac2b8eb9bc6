package model_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/model"
)

const sparseNames = "sentence_transformers.sparse_encoder.models."

// spladeRepository is a repository with a SpladePooling of that configuration.
func spladeRepository(encoder config, pooling map[string]any) map[string]any {
	return map[string]any{
		"config.json":                 encoder,
		"modules.json":                []any{module(sparseNames+"MLMTransformer.MLMTransformer", ""), module(sparseNames+"SpladePooling.SpladePooling", "1_SpladePooling")},
		"1_SpladePooling/config.json": pooling,
	}
}

func (c checkpoint) vocabularyHead(dense, norm, bias string) checkpoint {
	c = maps.Clone(c)
	c.linear(dense, hidden, hidden)
	c.norm(norm, hidden)
	c[bias] = []int{vocab}
	return c
}

func TestReadSplade(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config  config
		tensors checkpoint
		own     string // the head's own copy of the token embeddings
	}{
		"bert": {bertConfig("bert"),
			bertTensors(2).vocabularyHead("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias"), "cls.predictions.decoder.weight"},
		"distilbert": {distilBERTConfig(),
			distilBERTTensors().vocabularyHead("vocab_transform", "vocab_layer_norm", "vocab_projector.bias"), "vocab_projector.weight"},
		"roberta": {bertConfig("roberta"),
			bertTensors(2).vocabularyHead("lm_head.dense", "lm_head.layer_norm", "lm_head.bias"), "lm_head.decoder.weight"},
	} {
		files := spladeRepository(c.config, map[string]any{"pooling_strategy": "max", "activation_function": "relu"})
		s, err := model.Read(repository(t, files), c.tensors)
		if err != nil {
			t.Fatal(name, err)
		}
		if s.Dim() != vocab || s.Splade.Sum || s.Splade.Out.Weight != s.Embedding.Tokens || s.Splade.Dense.Activation != model.GELU {
			t.Errorf("%s: %+v", name, s.Splade)
		}
		c.tensors[c.own] = []int{vocab, hidden}
		files["1_SpladePooling/config.json"] = map[string]any{"pooling_strategy": "sum"}
		if s, err = model.Read(repository(t, files), c.tensors); err != nil || !s.Splade.Sum || s.Splade.Out.Weight.Name != c.own {
			t.Errorf("%s with a copy of its own: %+v, %v", name, s.Splade, err)
		}
	}
}

// TestReadSpladeUntied: the bias that a tied head shares is not an untied one's.
func TestReadSpladeUntied(t *testing.T) {
	t.Parallel()
	tensors := bertTensors(2).vocabularyHead("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias")
	tensors.linear("cls.predictions.decoder", vocab, hidden)
	for tied, want := range map[bool]string{true: "cls.predictions.bias", false: "cls.predictions.decoder.bias"} {
		files := spladeRepository(bertConfig("bert").with("tie_word_embeddings", tied), map[string]any{})
		s, err := model.Read(repository(t, files), tensors)
		if err != nil || s.Splade.Out.Bias.Name != want {
			t.Errorf("tied %t: %v, want %s", tied, err, want)
		}
	}
}

// TestReadSpladeActivation holds which key names the head's activation: not the
// encoder's in RoBERTa, whose head is always GELU, nor in ModernBERT.
func TestReadSpladeActivation(t *testing.T) {
	t.Parallel()
	modernbert := modernBERTTensors().vocabularyHead("head.dense", "head.norm", "decoder.bias")
	for name, c := range map[string]struct {
		config  config
		tensors checkpoint
		want    model.Activation
	}{
		"bert": {bertConfig("bert").with("hidden_act", "relu"),
			bertTensors(2).vocabularyHead("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias"), model.ReLU},
		"roberta": {bertConfig("roberta").with("hidden_act", "relu"),
			bertTensors(2).vocabularyHead("lm_head.dense", "lm_head.layer_norm", "lm_head.bias"), model.GELU},
		"modernbert":        {modernBERTConfig().with("hidden_activation", "relu"), modernbert, model.GELU},
		"modernbert's head": {modernBERTConfig().with("classifier_activation", "silu"), modernbert, model.SiLU},
	} {
		files := spladeRepository(c.config, map[string]any{"activation_function": "log1p_relu"})
		s, err := model.Read(repository(t, files), c.tensors)
		if err != nil {
			t.Fatal(name, err)
		}
		if s.Splade.Dense.Activation != c.want || !s.Splade.Twice {
			t.Errorf("%s: activation %s, want %s; twice %t", name, s.Splade.Dense.Activation, c.want, s.Splade.Twice)
		}
	}
	delete(modernbert, "decoder.bias")
	files := spladeRepository(modernBERTConfig().with("decoder_bias", false), map[string]any{})
	if s, err := model.Read(repository(t, files), modernbert); err != nil || !s.Splade.Out.Bias.IsZero() {
		t.Errorf("without a bias: %v", err)
	}
	files = spladeRepository(modernBERTConfig().with("classifier_activation", "relu2"), map[string]any{})
	if _, err := model.Read(repository(t, files), modernbert); err == nil || !strings.Contains(err.Error(), `"relu2"`) {
		t.Errorf("an unknown activation: %v", err)
	}
}

func TestReadSpladeRefuses(t *testing.T) {
	t.Parallel()
	head := bertTensors(2).vocabularyHead("cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias")
	for want, files := range map[string]map[string]any{
		`"median"`:   spladeRepository(bertConfig("bert"), map[string]any{"pooling_strategy": "median"}),
		`"softplus"`: spladeRepository(bertConfig("bert"), map[string]any{"activation_function": "softplus"}),
		"on nomic":   spladeRepository(nomicConfig(), map[string]any{}),
	} {
		tensors := maps.Clone(head)
		maps.Copy(tensors, nomicTensors())
		if _, err := model.Read(repository(t, files), tensors); !errors.Is(err, model.ErrUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it to say %q", err, want)
		}
	}
	files := spladeRepository(bertConfig("bert"), map[string]any{})
	if _, err := model.Read(repository(t, files), bertTensors(2)); err == nil || !strings.Contains(err.Error(), "cls.predictions.transform.dense.weight") {
		t.Errorf("without a head: %v", err)
	}
	files["modules.json"] = append(files["modules.json"].([]any), module(oldNames+"Normalize", ""))
	if _, err := model.Read(repository(t, files), head); !errors.Is(err, model.ErrUnsupported) {
		t.Errorf("Normalize behind SpladePooling: %v", err)
	}
}
