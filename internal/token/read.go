package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Read reads a repository's tokenizer: tokenizer.json, or, where there is none, what older repositories have alone:
// sentencepiece.bpe.model (XLM-RoBERTa) or vocab.txt (BERT and MPNet), with the flags and names of
// tokenizer_config.json, some of which win over tokenizer.json. The error is fs.ErrNotExist if none of them is there.
func Read(fsys fs.FS) (*Tokenizer, error) {
	for _, source := range []struct {
		name  string
		parse func([]byte, tokenizerConfig) (*Tokenizer, error)
	}{
		{"tokenizer.json", func(data []byte, config tokenizerConfig) (*Tokenizer, error) {
			if err := config.fromEncoder(fsys); err != nil {
				return nil, err
			}
			return parseWith(data, config)
		}},
		{"sentencepiece.bpe.model", parseSentencePiece},
		{"vocab.txt", parseVocabulary},
	} {
		data, err := readFile(fsys, source.name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		config, err := readTokenizerConfig(fsys)
		if err != nil {
			return nil, err
		}
		t, err := source.parse(data, config)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source.name, err)
		}
		return t, nil
	}
	return nil, fmt.Errorf("tokenizer.json, sentencepiece.bpe.model or vocab.txt: %w", fs.ErrNotExist)
}

// ReadAsItIs reads tokenizer.json and nothing else, as programs do that know it without transformers.
func ReadAsItIs(fsys fs.FS) (*Tokenizer, error) {
	data, err := readFile(fsys, "tokenizer.json")
	if err != nil {
		return nil, err
	}
	return Parse(data)
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
