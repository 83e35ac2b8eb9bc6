package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// Read reads a repository's tokenizer: tokenizer.json, or, where there is none, what older repositories have alone:
// sentencepiece.bpe.model (XLM-RoBERTa) or vocab.txt (BERT and MPNet), with the flags and names of
// tokenizer_config.json. The error is fs.ErrNotExist if none of them is there.
func Read(fsys fs.FS) (*Tokenizer, error) {
	for _, source := range []struct {
		name  string
		parse func(fsys fs.FS, data []byte) (*Tokenizer, error)
	}{
		{"tokenizer.json", func(_ fs.FS, data []byte) (*Tokenizer, error) { return parse(data) }},
		{"sentencepiece.bpe.model", configured(parseSentencePiece)},
		{"vocab.txt", configured(parseVocabulary)},
	} {
		data, err := readFile(fsys, source.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		t, err := source.parse(fsys, data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source.name, err)
		}
		return t, nil
	}
	return nil, fmt.Errorf("tokenizer.json, sentencepiece.bpe.model or vocab.txt: %w", fs.ErrNotExist)
}

// maxFileBytes is far beyond any tokenizer that exists (34 MB).
const maxFileBytes = 256 << 20

func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err == nil && len(data) > maxFileBytes {
		err = fmt.Errorf("%s is larger than %d MiB: not a tokenizer", name, maxFileBytes>>20)
	}
	return data, err
}

// configured is the parser of a file that says less than tokenizer.json.
func configured(parse func([]byte, tokenizerConfig) (*Tokenizer, error)) func(fs.FS, []byte) (*Tokenizer, error) {
	return func(fsys fs.FS, data []byte) (*Tokenizer, error) {
		config, err := readTokenizerConfig(fsys)
		if err != nil {
			return nil, err
		}
		return parse(data, config)
	}
}

// tokenizerConfig is what tokenizer_config.json says about files that say less than tokenizer.json.
type tokenizerConfig struct {
	Class          string      `json:"tokenizer_class"`
	Lowercase      *bool       `json:"do_lower_case"`
	StripAccents   *bool       `json:"strip_accents"`
	ChineseChars   *bool       `json:"tokenize_chinese_chars"`
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

// expect refuses tokenizer classes that read a file otherwise.
func (c tokenizerConfig) expect(classes ...string) error {
	if c.Class != "" && !slices.Contains(classes, c.Class) {
		return unsupported("tokenizer without tokenizer.json", c.Class, classes...)
	}
	return nil
}

// description is a JSON object of a tokenizer.json that is put together here.
type description map[string]any

// parseDescription reads a tokenizer.json that was put together.
func parseDescription(d description) (*Tokenizer, error) {
	d["version"] = "1.0"
	data, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return parse(data)
}

// describeSpecials are added tokens that are special.
func describeSpecials(names []string, mask string) []description {
	var tokens []description
	for _, name := range names {
		tokens = append(tokens, description{"content": name, "special": true})
	}
	// In RoBERTa's and MPNet's vocabularies the mask takes the white space before it along.
	return append(tokens, description{"content": mask, "special": true, "lstrip": strings.HasPrefix(mask, "<")})
}
