package model

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// families maps config.json's model_type to the reader of that family.
var families = map[string]func(config []byte, tensors Tensors) (*Spec, error){
	"bert":        readBERT,
	"camembert":   readRoBERTa,
	"distilbert":  readDistilBERT,
	"gemma3_text": readGemma3,
	"gte":         readGTE,
	"modernbert":  readModernBERT,
	"mpnet":       readMPNet,
	"new":         readGTE, // Alibaba-NLP's name for it
	"nomic_bert":  readNomic,
	"qwen3":       readQwen3,
	"roberta":     readRoBERTa,
	"xlm-roberta": readRoBERTa,
}

// Families lists the values of model_type that Read knows, sorted.
func Families() []string { return slices.Sorted(maps.Keys(families)) }

// Read makes the Spec of a repository in Hugging Face layout from its
// config.json and modules.json, and checks every tensor it names: present, of a
// floating-point type, of the right shape.
//
// Tensors of a module in a folder of its own are looked up by folder and name,
// "2_Dense/linear.weight"; those of the encoder by their bare name.
func Read(fsys fs.FS, tensors Tensors) (*Spec, error) {
	modules, err := ReadModules(fsys)
	if err != nil {
		return nil, err
	}
	s, err := readEncoder(fsys, modules, tensors)
	if err != nil {
		return nil, err
	}
	if modules.scores && s.Classifier.IsZero() {
		return nil, errNoPooling
	}
	if modules.width != 0 && modules.width != s.Hidden {
		return nil, fmt.Errorf("pooling expects hidden states of %d values; the encoder's have %d", modules.width, s.Hidden)
	}
	if modules.Splade != "" {
		s.Splade, err = readSplade(fsys, modules, s, tensors)
		return s, err
	}
	s.Pooling = modules.Pooling
	if s.LayerMix, err = readLayerMix(fsys, modules, s, tensors); err != nil {
		return nil, err
	}
	s.Dense, err = readAfter(fsys, modules, tensors, s.Dim())
	return s, err
}

func readEncoder(fsys fs.FS, modules Modules, tensors Tensors) (*Spec, error) {
	if modules.Static {
		return readStatic(tensors)
	}
	file := path.Join(modules.Transformer, "config.json")
	config, err := readConfig(fsys, file)
	if err != nil {
		return nil, err
	}
	s, err := readFamily(config, tensors)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

func readFamily(config []byte, tensors Tensors) (*Spec, error) {
	var head struct {
		ModelType string `json:"model_type"`
	}
	if err := decodeConfig(config, &head); err != nil {
		return nil, err
	}
	read, ok := families[head.ModelType]
	if !ok {
		return nil, &UnknownFamilyError{ModelType: head.ModelType}
	}
	s, err := read(config, tensors)
	if err != nil {
		return nil, err
	}
	s.Family = head.ModelType
	s.Classifier, err = readClassifier(config, s, tensors)
	return s, err
}

// UnknownFamilyError is an ErrUnsupported: no family has that model_type.
type UnknownFamilyError struct{ ModelType string }

func (e *UnknownFamilyError) Error() string {
	return fmt.Sprintf("model_type %q is not a family that Paceline knows (known: %s)", e.ModelType, strings.Join(Families(), ", "))
}

func (e *UnknownFamilyError) Unwrap() error { return ErrUnsupported }
