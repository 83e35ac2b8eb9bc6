package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

const (
	sentenceConfigFile  = "config_sentence_transformers.json"
	tokenizerConfigFile = "tokenizer_config.json"
	maxConfigBytes      = 64 << 20 // tokenizer.json is the largest that is read here
)

// transformerConfigFiles are the names under which sentence-transformers looks
// for the Transformer module's configuration, in its order.
var transformerConfigFiles = []string{
	"sentence_bert_config.json",
	"sentence_roberta_config.json",
	"sentence_distilbert_config.json",
	"sentence_camembert_config.json",
	"sentence_albert_config.json",
	"sentence_xlm-roberta_config.json",
	"sentence_xlnet_config.json",
}

// decodeFile decodes a JSON file; found is false when there is none.
func decodeFile(fsys fs.FS, name string, into any) (found bool, err error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxConfigBytes {
		return false, fmt.Errorf("%s is larger than %d MiB: not a configuration file", name, maxConfigBytes>>20)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	return true, nil
}

// readMaxTokens follows sentence-transformers: max_seq_length of the Transformer
// module, else the tokenizer's model_max_length, and never more than the encoder
// has positions for. A truncation inside tokenizer.json plays no part.
func readMaxTokens(fsys fs.FS, folder string, positions int) (int, error) {
	var c struct {
		MaxSeqLength *int `json:"max_seq_length"`
		LowerCase    bool `json:"do_lower_case"`
	}
	for _, name := range transformerConfigFiles {
		found, err := decodeFile(fsys, path.Join(folder, name), &c)
		if err != nil {
			return 0, err
		}
		if found {
			break
		}
	}
	if c.LowerCase {
		if err := requireLowerCase(fsys, folder); err != nil {
			return 0, err
		}
	}
	if c.MaxSeqLength == nil {
		return modelMaxLength(fsys, folder, positions)
	}
	if *c.MaxSeqLength < 1 {
		return 0, fmt.Errorf("max_seq_length is %d; it must be at least 1", *c.MaxSeqLength)
	}
	return min(*c.MaxSeqLength, positions), nil
}

// modelMaxLength reads tokenizer_config.json, where "no limit" is 1e30 in so many
// digits.
func modelMaxLength(fsys fs.FS, folder string, positions int) (int, error) {
	var c struct {
		ModelMaxLength *float64 `json:"model_max_length"`
	}
	name := path.Join(folder, tokenizerConfigFile)
	if _, err := decodeFile(fsys, name, &c); err != nil {
		return 0, err
	}
	if c.ModelMaxLength == nil {
		return positions, nil
	}
	if *c.ModelMaxLength < 1 {
		return 0, fmt.Errorf("%s: model_max_length is %g; it must be at least 1", name, *c.ModelMaxLength)
	}
	return int(min(*c.ModelMaxLength, float64(positions))), nil
}

// requireLowerCase refuses do_lower_case over a tokenizer that keeps case, for
// which sentence-transformers changes the tokenizer; where the tokenizer lowers
// case by itself, as all uncased ones do, the flag says nothing new.
func requireLowerCase(fsys fs.FS, folder string) error {
	var t struct {
		Normalizer normalizer `json:"normalizer"`
	}
	name := path.Join(folder, "tokenizer.json")
	if found, err := decodeFile(fsys, name, &t); err != nil || !found {
		return err
	}
	if !t.Normalizer.lowers() {
		return fmt.Errorf("do_lower_case is set, but %s keeps case: not supported; add a Lowercase normalizer to that file", name)
	}
	return nil
}

// normalizer is as much of a tokenizer.json's normalizer as tells whether it
// lowers case.
type normalizer struct {
	Type        string       `json:"type"`
	Lowercase   bool         `json:"lowercase"`
	Normalizers []normalizer `json:"normalizers"`
}

func (n *normalizer) lowers() bool {
	if n.Type == "Lowercase" || n.Type == "BertNormalizer" && n.Lowercase {
		return true
	}
	for i := range n.Normalizers {
		if n.Normalizers[i].lowers() {
			return true
		}
	}
	return false
}
