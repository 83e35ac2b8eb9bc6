package token

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// tokenizerConfig is what tokenizer_config.json says about files that say less than tokenizer.json, and over it.
type tokenizerConfig struct {
	Class          string      `json:"tokenizer_class"`
	Lowercase      *bool       `json:"do_lower_case"`
	StripAccents   *bool       `json:"strip_accents"`
	ChineseChars   *bool       `json:"tokenize_chinese_chars"`
	PrefixSpace    bool        `json:"add_prefix_space"`
	ClassifierName specialName `json:"cls_token"`
	SeparatorName  specialName `json:"sep_token"`
	UnknownName    specialName `json:"unk_token"`
	PadName        specialName `json:"pad_token"`
	MaskName       specialName `json:"mask_token"`
}

// specialName is the name of a special token: a string, or an object with content.
type specialName string

func (n *specialName) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var token struct {
			Content string `json:"content"`
		}
		err := json.Unmarshal(data, &token)
		*n = specialName(token.Content)
		return err
	}
	return json.Unmarshal(data, (*string)(n))
}

func readTokenizerConfig(fsys fs.FS) (config tokenizerConfig, err error) {
	const name = "tokenizer_config.json"
	data, err := readFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return config, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &config)
	}
	if err != nil {
		return config, fmt.Errorf("%s: %w", name, err)
	}
	config.Class = strings.TrimSuffix(config.Class, "Fast")
	return config, nil
}

// encoderClasses has those that transformers takes for an encoder's model_type where nothing names a class.
var encoderClasses = map[string]string{
	"bert": "BertTokenizer", "distilbert": "BertTokenizer", "mpnet": "MPNetTokenizer", "nomic_bert": "BertTokenizer", "roberta": "RobertaTokenizer",
}

// fromEncoder takes the class that the encoder's config.json stands for, unless there is one.
func (c *tokenizerConfig) fromEncoder(fsys fs.FS) error {
	if c.Class != "" {
		return nil
	}
	data, err := readFile(fsys, "config.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var encoder struct {
		Class string `json:"tokenizer_class"`
		Type  string `json:"model_type"`
	}
	if err == nil {
		err = json.Unmarshal(data, &encoder)
	}
	if err != nil {
		return fmt.Errorf("config.json: %w", err)
	}
	c.Class = strings.TrimSuffix(cmp.Or(encoder.Class, encoderClasses[encoder.Type]), "Fast")
	return nil
}

// expect refuses tokenizer classes that read a file otherwise.
func (c tokenizerConfig) expect(classes ...string) error {
	if c.Class != "" && !slices.Contains(classes, c.Class) {
		return unsupported("tokenizer without tokenizer.json", c.Class, classes...)
	}
	return nil
}

// over changes a tokenizer.json as transformers' classes do: those of BERT's kind set the normalizer's flags, RoBERTa's the
// pre-tokenizer's, to their defaults where tokenizer_config.json does not say. Classes that read tokenizer.json as it is
// change nothing.
func (c tokenizerConfig) over(f *file) (err error) {
	switch c.Class {
	case "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MPNetTokenizer":
		lower, chinese := c.Lowercase == nil || *c.Lowercase, c.ChineseChars == nil || *c.ChineseChars
		f.Normalizer, err = changed(f.Normalizer, "BertNormalizer", description{
			"lowercase": lower, "strip_accents": c.StripAccents, "handle_chinese_chars": chinese})
	case "RobertaTokenizer":
		f.PreTokenizer, err = changed(f.PreTokenizer, "ByteLevel", description{"add_prefix_space": c.PrefixSpace})
	}
	return err
}

// changed sets fields of a component, if it is of that type.
func changed(component json.RawMessage, kind string, fields description) (json.RawMessage, error) {
	var d description
	if err := json.Unmarshal(component, &d); err != nil || d["type"] != kind {
		return component, nil // its own reader will say what is wrong
	}
	for name, value := range fields {
		d[name] = value
	}
	return json.Marshal(d)
}
