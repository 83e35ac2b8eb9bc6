package token

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// bpe (byte pair encoding, Sennrich, Haddow and Birch 2016) begins with a word's characters, or its bytes, and merges
// the neighbours whose merge was learned first, until no two can be merged.
type bpe struct {
	vocab  *vocabulary
	merges *mergeTable

	unknown  int32                 // noValue: characters that the vocabulary lacks are left out
	fuses    bool                  // whether unknown characters side by side are one token
	prefix   string                // of the tokens of all but a word's first character
	suffix   string                // of the token of a word's last character
	fallback *[256]int32           // tokens of the bytes of unknown characters; nil: none
	ascii    *[utf8.RuneSelf]int32 // tokens of these characters, or noValue; nil where prefix or suffix may change them

	whole map[string]int32 // words that are tokens without merging; nil: none
	bytes *[256]int32      // tokens of the bytes, if words come as bytes and not in byteLevel's characters
}

// bpeFile is the model of tokenizer.json.
type bpeFile struct {
	Dropout      *float64        `json:"dropout"`
	UnkToken     *string         `json:"unk_token"`
	Prefix       string          `json:"continuing_subword_prefix"`
	Suffix       string          `json:"end_of_word_suffix"`
	FuseUnk      bool            `json:"fuse_unk"`
	ByteFallback bool            `json:"byte_fallback"`
	IgnoreMerges bool            `json:"ignore_merges"`
	Vocabulary   json.RawMessage `json:"vocab"`
	Merges       []mergePair     `json:"merges"`
}

func readBPE(raw json.RawMessage) (model, error) {
	var file bpeFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, err
	}
	if file.Vocabulary == nil || file.Merges == nil {
		return nil, fmt.Errorf("BPE needs vocab and merges")
	}
	if file.Dropout != nil && *file.Dropout != 0 {
		return nil, fmt.Errorf("BPE with dropout %v gives other tokens each time: %w", *file.Dropout, ErrUnsupported)
	}
	vocab, err := readVocabulary(file.Vocabulary)
	if err != nil {
		return nil, err
	}
	m := &bpe{vocab: vocab, unknown: noValue, fuses: file.FuseUnk, prefix: file.Prefix, suffix: file.Suffix}
	if m.merges, err = newMergeTable(file.Merges, vocab, len(file.Prefix)); err != nil {
		return nil, err
	}
	if file.UnkToken != nil {
		var known bool
		if m.unknown, known = vocab.id(*file.UnkToken); !known {
			return nil, fmt.Errorf("unk_token %q is not in the vocabulary", *file.UnkToken)
		}
	}
	if file.ByteFallback {
		m.fallback = vocab.byteTokens(func(b byte) string { return fmt.Sprintf("<0x%02X>", b) })
	}
	if file.IgnoreMerges {
		m.whole = vocab.ids
	}
	if m.prefix == "" && m.suffix == "" {
		m.ascii = vocab.asciiTokens()
	}
	return m, nil
}

func (m *bpe) vocabulary() *vocabulary { return m.vocab }

// byteTokens are the tokens of the bytes as spell writes them; noValue for those that the vocabulary lacks.
func (v *vocabulary) byteTokens(spell func(b byte) string) *[256]int32 {
	ids := new([256]int32)
	for b := range ids {
		ids[b] = noValue
		if id, ok := v.id(spell(byte(b))); ok {
			ids[b] = id
		}
	}
	return ids
}

// asciiTokens are the tokens of single ASCII characters; noValue for those that the vocabulary lacks.
func (v *vocabulary) asciiTokens() *[utf8.RuneSelf]int32 {
	ids := new([utf8.RuneSelf]int32)
	for c := range ids {
		ids[c] = noValue
		if id, ok := v.id(string(rune(c))); ok {
			ids[c] = id
		}
	}
	return ids
}

// readBytes makes the model take words as bytes, so that byteLevel need not spell them in characters first. It cannot
// if the vocabulary lacks a byte, or if it looks at a word's characters.
func (m *bpe) readBytes() bool {
	ids := m.vocab.byteTokens(func(b byte) string { return string(byteLevelChars[b]) })
	for _, id := range ids {
		if id == noValue {
			return false
		}
	}
	if m.prefix != "" || m.suffix != "" {
		return false
	}
	m.bytes = ids
	if m.whole != nil {
		m.whole = make(map[string]int32, len(m.vocab.ids))
		for token, id := range m.vocab.ids {
			if bytes, ok := byteLevelBytes(nil, token); ok {
				m.whole[string(bytes)] = id
			}
		}
	}
	return true
}

func (m *bpe) appendTokens(dst []token, word []byte, w *workspace) []token {
	if id, ok := m.whole[string(word)]; ok {
		return append(dst, token{id, 0, len(word)})
	}
	w.symbols = w.symbols[:0]
	if m.bytes != nil {
		for _, b := range word {
			w.symbols = append(w.symbols, symbol{id: m.bytes[b], length: 1})
		}
	} else {
		m.spell(word, w)
	}
	at := 0
	for _, s := range m.merges.apply(w) {
		end := at + int(s.length)
		dst = append(dst, token{s.id, at, end})
		at = end
	}
	return dst
}

// spell makes w.symbols the characters of a word. An unknown one waits for those that may be fused with it, and is put
// only when a known one comes: behind the bytes of characters that fell back to them, as the reference has it.
func (m *bpe) spell(word []byte, w *workspace) {
	waiting := symbol{id: m.unknown}
	for i, size := 0, 0; i < len(word); i += size {
		if c := word[i]; c < utf8.RuneSelf && m.ascii != nil && m.ascii[c] != noValue {
			w.put(&waiting)
			w.symbols, size = append(w.symbols, symbol{id: m.ascii[c], length: 1}), 1
			continue
		}
		_, size = utf8.DecodeRune(word[i:])
		key := w.key[:0]
		if i > 0 {
			key = append(key, m.prefix...)
		}
		key = append(key, word[i:i+size]...)
		if i+size == len(word) {
			key = append(key, m.suffix...)
		}
		w.key = key
		id, known := m.vocab.ids[string(key)]
		switch {
		case known:
			w.put(&waiting)
			w.symbols = append(w.symbols, symbol{id: id, length: int32(size)})
		case m.fallBack(key, w):
		case m.unknown != noValue:
			if !m.fuses {
				w.put(&waiting)
			}
			waiting.length += int32(size)
		}
	}
	w.put(&waiting)
}

// put appends a waiting symbol, if there is one.
func (w *workspace) put(waiting *symbol) {
	if waiting.length > 0 {
		w.symbols = append(w.symbols, *waiting)
		waiting.length = 0
	}
}

// fallBack appends the tokens of a character's bytes, if there are tokens for all of them.
func (m *bpe) fallBack(char []byte, w *workspace) bool {
	if m.fallback == nil {
		return false
	}
	for _, b := range char {
		if m.fallback[b] == noValue {
			return false
		}
	}
	for _, b := range char {
		w.symbols = append(w.symbols, symbol{id: m.fallback[b], length: 1})
	}
	return true
}
