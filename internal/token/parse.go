package token

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
)

// file is a tokenizer.json.
type file struct {
	Version    string `json:"version"`
	Truncation *struct {
		MaxLength int    `json:"max_length"`
		Direction string `json:"direction"`
	} `json:"truncation"`
	AddedTokens   json.RawMessage `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	Model         json.RawMessage `json:"model"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
}

// Parse reads a tokenizer.json. A component that this package lacks is an error that names it. The file's padding is
// never applied, its truncation only told by Truncation.
func Parse(tokenizerJSON []byte) (*Tokenizer, error) {
	t, err := parse(tokenizerJSON)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	return t, nil
}

func parse(data []byte) (*Tokenizer, error) { return parseWith(data, tokenizerConfig{}) }

func parseWith(data []byte, config tokenizerConfig) (*Tokenizer, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	if err := config.over(&f); err != nil {
		return nil, err
	}
	if f.Version != "1.0" {
		return nil, fmt.Errorf("version %q is not supported (known: 1.0)", f.Version)
	}
	if len(f.Model) == 0 {
		return nil, fmt.Errorf("it has no model")
	}
	t := &Tokenizer{}
	if f.Truncation != nil {
		t.maxTokens, t.truncatesLeft = f.Truncation.MaxLength, f.Truncation.Direction == "Left"
	}
	var err error
	if t.model, err = readModel(f.Model); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if t.normalizer, err = readNormalizer(f.Normalizer, 0); err != nil {
		return nil, fmt.Errorf("normalizer: %w", err)
	}
	if t.splitter, err = readSplitter(f.PreTokenizer, 0); err != nil {
		return nil, fmt.Errorf("pre_tokenizer: %w", err)
	}
	if t.template, err = readTemplate(f.PostProcessor, 0); err != nil {
		return nil, fmt.Errorf("post_processor: %w", err)
	}
	if t.decoder, err = readDecoder(f.Decoder, 0); err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	if t.added, err = readAddedTokens(f.AddedTokens, t.model.vocabulary(), t.normalizer); err != nil {
		return nil, fmt.Errorf("added_tokens: %w", err)
	}
	t.planModel()
	t.planCuts()
	t.scratch = sync.Pool{New: func() any { return new(scratch) }}
	return t, nil
}

// planModel fits the model and the splitter to each other.
func (t *Tokenizer) planModel() {
	steps, _ := t.splitter.(splitters)
	t.tracks = slices.ContainsFunc(steps, func(s splitter) bool { m, ok := s.(metaspace); return ok && m.scheme == "first" })
	switch m := t.model.(type) {
	case *bpe:
		if last := len(steps) - 1; last >= 0 && steps[last] == (byteLevelSplitter{}) && m.readBytes() {
			t.splitter = steps[:last]
		}
		t.borders = newMergeBorders(m)
		t.model = cached{m}
	case *unigram:
		t.model = cached{m}
	}
}

// planCuts finds out where texts may be cut.
func (t *Tokenizer) planCuts() {
	t.cuts = t.splitter != nil && t.splitter.local() && (t.normalizer == nil || t.normalizer.local()) &&
		!t.added.normalized.spaces
	t.drifts = drifts(t.normalizer)
	bert, isBert := t.normalizer.(*bertNormalizer)
	_, splitsLikeBert := t.splitter.(bertSplitter)
	t.cutsLikeBert = isBert && bert.ideographs && splitsLikeBert && t.added.normalized.trie == nil
	for c := range t.asciiCuts {
		// Not all white space is: the normalizer drops some of it.
		t.asciiCuts[c] = t.cutsLikeBert && bert.ascii[c] != asciiDropped && asciiClasses[bert.ascii[c]] != 0
	}
}
