package model

import (
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
	"distilbert":  {"vocab_transform", "vocab_layer_norm", "vocab_projector.weight", "vocab_projector.bias"},
	"modernbert":  {"head.dense", "head.norm", "decoder.weight", "decoder.bias"},
	"mpnet":       robertaVocabulary,
	"roberta":     robertaVocabulary,
	"xlm-roberta": robertaVocabulary,
}

// vocabularyHead names the tensors of one.
type vocabularyHead struct{ dense, norm, out, bias string }

var (
	bertVocabulary    = vocabularyHead{"cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.decoder.weight", "cls.predictions.bias"}
	robertaVocabulary = vocabularyHead{"lm_head.dense", "lm_head.layer_norm", "lm_head.decoder.weight", "lm_head.bias"}
)

// spladeConfig is the SpladePooling module's config.json.
type spladeConfig struct {
	Strategy   string `json:"pooling_strategy"`
	Activation string `json:"activation_function"`
}

// readSplade reads the head that modules.json's SpladePooling works on.
func readSplade(fsys fs.FS, folder string, s *Spec, tensors Tensors) (Splade, error) {
	file := path.Join(folder, "config.json")
	data, err := readConfig(fsys, file)
	if err != nil {
		return Splade{}, err
	}
	c := spladeConfig{Strategy: "max", Activation: "relu"}
	if err := decodeConfig(data, &c); err != nil {
		return Splade{}, fmt.Errorf("%s: %w", file, err)
	}
	if c.Strategy != "max" && c.Strategy != "sum" || c.Activation != "relu" {
		return Splade{}, fmt.Errorf("%s: pooling_strategy %q, activation_function %q: anything but max or sum, and relu, is %w", file, c.Strategy, c.Activation, ErrUnsupported)
	}
	names, ok := vocabularyHeads[s.Family]
	if !ok {
		return Splade{}, fmt.Errorf("SpladePooling on %s is %w (known: %s)", s.Family, ErrUnsupported, strings.Join(slices.Sorted(maps.Keys(vocabularyHeads)), ", "))
	}
	head, err := names.read(s, tensors)
	head.Sum = c.Strategy == "sum"
	return head, err
}

// read takes the norms' epsilon and the activation from the encoder, as transformers
// does, and the token embeddings where the checkpoint leaves the tied copy out.
func (n vocabularyHead) read(s *Spec, tensors Tensors) (Splade, error) {
	t := newCheckpoint(tensors, n.dense+".weight")
	_, biased := tensors.Tensor(t.prefix + n.dense + ".bias")
	head := Splade{
		Dense: Dense{Linear: t.linear(n.dense, s.Hidden, s.Hidden, biased), Activation: s.Layers[0].FFN.Activation},
		Norm:  t.norm(n.norm, s.Hidden, float64(s.Embedding.Norm.Eps), biased),
		Out:   Linear{In: s.Hidden, Out: s.Embedding.Vocab, Weight: s.Embedding.Tokens},
	}
	if t.has(n.out) {
		head.Out.Weight = t.table(n.out, s.Embedding.Vocab, s.Hidden)
	}
	head.Out.Bias = t.table(n.bias, s.Embedding.Vocab)
	return head, t.err
}
