package model

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// vocabularyHeads maps config.json's model_type to the names of the family's masked
// language model head.
var vocabularyHeads = map[string]vocabularyHead{
	"bert":        bertVocabulary,
	"camembert":   robertaVocabulary,
	"distilbert":  {"vocab_transform", "vocab_layer_norm", "vocab_projector.weight", "vocab_projector.bias", "activation"},
	"modernbert":  {"head.dense", "head.norm", "decoder.weight", "decoder.bias", "classifier_activation"},
	"mpnet":       robertaVocabulary,
	"roberta":     robertaVocabulary,
	"xlm-roberta": robertaVocabulary,
}

// vocabularyHead names the tensors of one, and the key of config.json that names its
// activation: "" where that is GELU, whatever the encoder's.
type vocabularyHead struct{ dense, norm, out, bias, activation string }

var (
	bertVocabulary    = vocabularyHead{"cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.decoder.weight", "cls.predictions.bias", "hidden_act"}
	robertaVocabulary = vocabularyHead{"lm_head.dense", "lm_head.layer_norm", "lm_head.decoder.weight", "lm_head.bias", ""}
)

// spladeConfig is the SpladePooling module's config.json.
type spladeConfig struct {
	Strategy   string `json:"pooling_strategy"`
	Activation string `json:"activation_function"`
}

// readSplade reads the head that modules.json's SpladePooling works on, and the pooling.
func readSplade(fsys fs.FS, modules Modules, s *Spec, tensors Tensors) (Splade, error) {
	var pooling spladeConfig
	file := path.Join(modules.Splade, "config.json")
	if err := readInto(fsys, file, &pooling); err != nil {
		return Splade{}, err
	}
	sum, twice, err := pooling.read()
	if err != nil {
		return Splade{}, fmt.Errorf("%s: %w", file, err)
	}
	names, ok := vocabularyHeads[s.Family]
	if !ok {
		return Splade{}, fmt.Errorf("SpladePooling on %s is %w (known: %s)", s.Family, ErrUnsupported, strings.Join(slices.Sorted(maps.Keys(vocabularyHeads)), ", "))
	}
	var encoder map[string]json.RawMessage
	file = path.Join(modules.Transformer, "config.json")
	if err := readInto(fsys, file, &encoder); err != nil {
		return Splade{}, err
	}
	head, err := names.read(encoder, s, tensors)
	if err != nil {
		return Splade{}, fmt.Errorf("%s: %w", file, err)
	}
	head.Sum, head.Twice = sum, twice
	return head, nil
}

func (c *spladeConfig) read() (sum, twice bool, err error) {
	strategy, activation := cmp.Or(c.Strategy, "max"), cmp.Or(c.Activation, "relu")
	if strategy != "max" && strategy != "sum" || activation != "relu" && activation != "log1p_relu" {
		err = fmt.Errorf("pooling_strategy %q, activation_function %q: anything but max or sum, and relu or log1p_relu, is %w", strategy, activation, ErrUnsupported)
	}
	return strategy == "sum", activation == "log1p_relu", err
}

// read takes the norm's epsilon from the encoder, as transformers does, and the token
// embeddings where the checkpoint leaves the tied copy out.
func (n vocabularyHead) read(encoder map[string]json.RawMessage, s *Spec, tensors Tensors) (Splade, error) {
	activation := hiddenAct(GELU)
	if name, ok := encoder[n.activation]; ok {
		if err := json.Unmarshal(name, &activation); err != nil {
			return Splade{}, fmt.Errorf("%s: %w", n.activation, err)
		}
	}
	t := newCheckpoint(tensors, n.dense+".weight")
	head := Splade{
		Dense: Dense{Linear: t.linear(n.dense, s.Hidden, s.Hidden, t.has(n.dense+".bias")), Activation: Activation(activation)},
		Norm:  t.norm(n.norm, s.Hidden, float64(s.Embedding.Norm.Eps), t.has(n.norm+".bias") || t.has(n.norm+".beta")),
		Out:   Linear{In: s.Hidden, Out: s.Embedding.Vocab, Weight: s.Embedding.Tokens},
	}
	if t.has(n.out) {
		head.Out.Weight = t.table(n.out, s.Embedding.Vocab, s.Hidden)
	}
	bias := n.bias
	if own := strings.TrimSuffix(n.out, "weight") + "bias"; isFalse(encoder["tie_word_embeddings"]) && t.has(own) {
		bias = own // the other is left over where nothing is tied
	}
	if !isFalse(encoder["decoder_bias"]) { // ModernBERT's
		head.Out.Bias = t.table(bias, s.Embedding.Vocab)
	}
	return head, t.err
}

func isFalse(value json.RawMessage) bool { return string(value) == "false" }
