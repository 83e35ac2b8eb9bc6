package model_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/model"
)

// TestReadClassifier reads every family's head under an encoder with a prefix, as
// they are saved, and refuses each of its tensors missing.
func TestReadClassifier(t *testing.T) {
	t.Parallel()
	const labels = 3
	for architecture, c := range map[string]struct {
		config  config
		encoder checkpoint
		head    func(c checkpoint)
		norm    bool
	}{
		"BertForSequenceClassification": {bertConfig("bert"), bertTensors(2), func(c checkpoint) {
			c.linear("encoder.pooler.dense", hidden, hidden)
			c.linear("classifier", labels, hidden)
		}, false},
		"NomicBertForSequenceClassification": {nomicConfig(), nomicTensors(), func(c checkpoint) {
			c.linear("encoder.pooler.dense", hidden, hidden)
			c.linear("classifier", labels, hidden)
		}, false},
		"RobertaForSequenceClassification": {bertConfig("roberta").with("type_vocab_size", 1), bertTensors(1), func(c checkpoint) {
			c.linear("classifier.dense", hidden, hidden)
			c.linear("classifier.out_proj", labels, hidden)
		}, false},
		"DistilBertForSequenceClassification": {distilBERTConfig(), distilBERTTensors(), func(c checkpoint) {
			c.linear("pre_classifier", hidden, hidden)
			c.linear("classifier", labels, hidden)
		}, false},
		"ModernBertForSequenceClassification": {modernBERTConfig(), modernBERTTensors(), func(c checkpoint) {
			c["head.dense.weight"], c["head.norm.weight"] = []int{hidden, hidden}, []int{hidden}
			c.linear("classifier", labels, hidden)
		}, true},
	} {
		head := checkpoint{}
		c.head(head)
		all := c.encoder.renamed(func(s string) string { return "encoder." + s })
		maps.Copy(all, head)
		config := c.config.with("architectures", []string{architecture}).with("id2label", map[string]string{"2": "c", "0": "a", "1": "b"})
		s := readSpec(t, config, all)
		if !slices.Equal(s.Classifier.Labels, []string{"a", "b", "c"}) || s.Classifier.Out.Out != labels || s.Classifier.Norm.IsZero() == c.norm {
			t.Errorf("%s: %+v", architecture, s.Classifier)
		}
		for name := range head {
			gap := maps.Clone(all)
			delete(gap, name)
			if _, err := model.Read(repository(t, map[string]any{"config.json": config}), gap); err == nil {
				t.Errorf("%s without %s was taken", architecture, name)
			}
		}
		if s := readSpec(t, c.config.with("architectures", []string{"SomeModel"}), all); !s.Classifier.IsZero() {
			t.Errorf("%s: a head that config.json does not name", architecture)
		}
	}
}

func TestReadClassifierRefuses(t *testing.T) {
	t.Parallel()
	all := bertTensors(2)
	all.linear("pooler.dense", hidden, hidden)
	all.linear("classifier", 2, hidden)
	base := bertConfig("bert").with("architectures", []string{"BertForSequenceClassification"})
	readSpec(t, base, all) // two labels, as transformers takes it
	for want, c := range map[string]config{
		"none for 1":         base.with("id2label", map[string]string{"0": "a", "2": "c"}),
		"shape [2 8]":        base.with("id2label", map[string]string{"0": "a"}),
		"says [1 8]":         base.with("num_labels", 1),
		"num_labels is -1":   base.with("num_labels", -1),
		"number of labels":   base.with("id2label", map[string]string{}),
		"not supported":      qwen3Config().with("architectures", []string{"Qwen3ForSequenceClassification"}),
		"classifier_pooling": modernBERTConfig().with("architectures", []string{"ModernBertForSequenceClassification"}).with("classifier_pooling", "max"),
	} {
		tensors := maps.Clone(all)
		maps.Copy(tensors, qwen3Tensors())
		maps.Copy(tensors, modernBERTTensors())
		if _, err := model.Read(repository(t, map[string]any{"config.json": c}), tensors); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it to say %q", err, want)
		}
	}
}

// TestReadSavedCrossEncoder: sentence-transformers 6 saves a CrossEncoder with a
// modules.json that has nothing but the encoder.
func TestReadSavedCrossEncoder(t *testing.T) {
	t.Parallel()
	all := bertTensors(2)
	all.linear("pooler.dense", hidden, hidden)
	all.linear("classifier", 1, hidden)
	files := map[string]any{
		"config.json":  bertConfig("bert").with("architectures", []string{"BertForSequenceClassification"}).with("num_labels", 1),
		"modules.json": []any{module("sentence_transformers.base.modules.transformer.Transformer", "")},
	}
	s, err := model.Read(repository(t, files), all)
	if err != nil || !slices.Equal(s.Classifier.Labels, []string{"LABEL_0"}) {
		t.Fatalf("%+v, %v", s, err)
	}
	files["config.json"] = bertConfig("bert")
	if _, err := model.Read(repository(t, files), all); err == nil || !strings.Contains(err.Error(), "no Pooling") {
		t.Errorf("without a classifier: %v", err)
	}
}
