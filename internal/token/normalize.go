package token

import (
	"encoding/json"
	"fmt"
)

// A normalizer rewrites a piece's text before it is split into words.
type normalizer interface {
	normalize(p *piece)
	// local tells whether a text cut before a space between two ASCII letters or digits gives, part by part, what the
	// whole gives.
	local() bool
}

// normalizerFile is a normalizer of tokenizer.json, every kind's fields together.
type normalizerFile struct {
	Type        string            `json:"type"`
	Normalizers []json.RawMessage `json:"normalizers"`

	CleanText          *bool `json:"clean_text"`
	HandleChineseChars *bool `json:"handle_chinese_chars"`
	StripAccents       *bool `json:"strip_accents"`
	Lowercase          *bool `json:"lowercase"`

	StripLeft  bool `json:"strip_left"`
	StripRight bool `json:"strip_right"`

	Prepend string          `json:"prepend"`
	Pattern json.RawMessage `json:"pattern"`
	Content string          `json:"content"`

	PrecompiledCharsmap []byte `json:"precompiled_charsmap"`
}

// readNormalizer reads a normalizer; null gives nil.
func readNormalizer(raw json.RawMessage, depth int) (normalizer, error) {
	file, present, err := readComponent[normalizerFile](raw, depth)
	if !present || err != nil {
		return nil, err
	}
	switch file.Type {
	case "BertNormalizer":
		return newBertNormalizer(file), nil
	case "ByteLevel":
		return byteLevel{}, nil
	case "Nmt":
		return nmt{}, nil
	case "NFC", "NFD", "NFKC", "NFKD":
		return unicodeForms[file.Type], nil
	case "Lowercase":
		return lowercase{}, nil
	case "StripAccents":
		return stripAccents{}, nil
	case "Strip":
		return strip{left: file.StripLeft, right: file.StripRight}, nil
	case "Precompiled":
		return newPrecompiled(file.PrecompiledCharsmap)
	case "Prepend":
		return prepend(file.Prepend), nil
	case "Replace":
		return newReplace(file)
	case "Sequence":
		return readNormalizers(file.Normalizers, depth)
	}
	return nil, unsupported("normalizer", file.Type, "BertNormalizer", "ByteLevel", "Lowercase", "NFC", "NFD", "NFKC",
		"NFKD", "Nmt", "Precompiled", "Prepend", "Replace", "Sequence", "Strip", "StripAccents")
}

// normalizers apply one after the other.
type normalizers []normalizer

func readNormalizers(raw []json.RawMessage, depth int) (normalizer, error) {
	var sequence normalizers
	for _, r := range raw {
		n, err := readNormalizer(r, depth+1)
		if err != nil {
			return nil, err
		}
		if n != nil {
			sequence = append(sequence, n)
		}
	}
	return sequence, nil
}

func (s normalizers) normalize(p *piece) {
	for _, n := range s {
		n.normalize(p)
	}
}

func (s normalizers) local() bool {
	for _, n := range s {
		if !n.local() {
			return false
		}
	}
	return true
}

// maxDepth is how deep sequences may stand in sequences.
const maxDepth = 8

// readComponent reads the description of a component; null or nothing is not present.
func readComponent[File any](raw json.RawMessage, depth int) (file File, present bool, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return file, false, nil
	}
	if depth > maxDepth {
		return file, false, fmt.Errorf("sequences nested deeper than %d", maxDepth)
	}
	return file, true, json.Unmarshal(raw, &file)
}
