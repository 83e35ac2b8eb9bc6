package token

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// A splitter (pre-tokenizer) splits the words of a piece into smaller ones. Added tokens stay as they are.
type splitter interface {
	split(p *piece)
	// local tells whether a word always ends before a space between two ASCII letters or digits.
	local() bool
}

// splitterFile is a pre-tokenizer of tokenizer.json, every kind's fields together.
type splitterFile struct {
	Type          string            `json:"type"`
	PreTokenizers []json.RawMessage `json:"pretokenizers"`

	Behavior  string          `json:"behavior"`
	Pattern   json.RawMessage `json:"pattern"`
	Invert    bool            `json:"invert"`
	Delimiter string          `json:"delimiter"`
	UseRegex  *bool           `json:"use_regex"`
	Length    *int            `json:"length"`
	metaspaceFile
	IndividualDigits bool `json:"individual_digits"`
}

// readSplitter reads a pre-tokenizer; null gives nil.
func readSplitter(raw json.RawMessage, depth int) (splitter, error) {
	file, present, err := readComponent[splitterFile](raw, depth)
	if !present || err != nil {
		return nil, err
	}
	switch file.Type {
	case "BertPreTokenizer":
		return bertSplitter{}, nil
	case "Whitespace":
		return wordSplitter{}, nil
	case "WhitespaceSplit":
		return delimiters{isDelimiter: isSpace, behavior: removed}, nil
	case "ByteLevel":
		return newByteLevel(file), nil
	case "CharDelimiterSplit":
		delimiter, size := utf8.DecodeRuneInString(file.Delimiter)
		if size == 0 || size != len(file.Delimiter) {
			return nil, fmt.Errorf("delimiter %q is not one character", file.Delimiter)
		}
		return delimiters{func(r rune) bool { return r == delimiter }, removed}, nil
	case "Punctuation":
		behavior, err := readBehavior(file.Behavior)
		return delimiters{func(r rune) bool { return classOf(r)&punctuation != 0 }, behavior}, err
	case "Split":
		return newPatternSplitter(file)
	case "Digits":
		return newDigits(file), nil
	case "FixedLength":
		return newFixedLength(file)
	case "Metaspace":
		return newMetaspace(file.metaspaceFile)
	case "Sequence":
		return readSplitters(file.PreTokenizers, depth)
	}
	return nil, unsupported("pre_tokenizer", file.Type, "BertPreTokenizer", "ByteLevel", "CharDelimiterSplit", "Digits",
		"FixedLength", "Metaspace", "Punctuation", "Sequence", "Split", "Whitespace", "WhitespaceSplit")
}

// splitters apply one after the other.
type splitters []splitter

func readSplitters(raw []json.RawMessage, depth int) (splitter, error) {
	var sequence splitters
	for _, r := range raw {
		s, err := readSplitter(r, depth+1)
		if err != nil {
			return nil, err
		}
		if steps, ok := s.(splitters); ok {
			sequence = append(sequence, steps...)
		} else if s != nil {
			sequence = append(sequence, s)
		}
	}
	return sequence, nil
}

func (s splitters) split(p *piece) {
	for _, splitter := range s {
		splitter.split(p)
	}
}

// One that ends words there is enough: the others only make words shorter.
func (s splitters) local() bool { return slices.ContainsFunc(s, splitter.local) }

// beginSplit starts a replacement of the words: append to p.spareWords, then call finishSplit.
func (p *piece) beginSplit() { p.spareWords = p.spareWords[:0] }

func (p *piece) finishSplit() { p.words, p.spareWords = p.spareWords, p.words }

// A behavior says what becomes of the delimiters that text is split at.
type behavior int

const (
	removed behavior = iota
	isolated
	mergedWithPrevious
	mergedWithNext
	contiguous
)

var behaviors = map[string]behavior{
	"": isolated, "Removed": removed, "Isolated": isolated, "MergedWithPrevious": mergedWithPrevious,
	"MergedWithNext": mergedWithNext, "Contiguous": contiguous,
}

func readBehavior(name string) (behavior, error) {
	b, ok := behaviors[name]
	if !ok {
		return 0, unsupported("split behavior", name, "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext",
			"Contiguous")
	}
	return b, nil
}
