package token

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// wordPiece splits a word greedily, longest token first; the pieces after the first are tokens with a prefix. A word
// that cannot be split so, or has too many characters, is one unknown token.
type wordPiece struct {
	vocab     *vocabulary
	trie      *trie
	unknown   int32
	continued int32 // the trie's node of the prefix; noValue if no token begins with it
	maxChars  int
}

func readWordPiece(raw json.RawMessage) (model, error) {
	var file struct {
		UnkToken   *string         `json:"unk_token"`
		Prefix     *string         `json:"continuing_subword_prefix"`
		MaxChars   *int            `json:"max_input_chars_per_word"`
		Vocabulary json.RawMessage `json:"vocab"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, err
	}
	if file.UnkToken == nil || file.Prefix == nil || file.MaxChars == nil || file.Vocabulary == nil {
		return nil, fmt.Errorf("WordPiece needs unk_token, continuing_subword_prefix, max_input_chars_per_word and vocab")
	}
	vocab, err := readVocabulary(file.Vocabulary)
	if err != nil {
		return nil, err
	}
	trie, err := vocab.trie()
	if err != nil {
		return nil, err
	}
	m := &wordPiece{vocab: vocab, trie: trie, continued: noValue, maxChars: *file.MaxChars}
	var known bool
	if m.unknown, known = vocab.id(*file.UnkToken); !known {
		return nil, fmt.Errorf("unk_token %q is not in the vocabulary", *file.UnkToken)
	}
	if node, ok := trie.walk(*file.Prefix); ok {
		m.continued = node
	}
	return m, nil
}

func (m *wordPiece) vocabulary() *vocabulary { return m.vocab }

func (m *wordPiece) appendTokens(dst []token, word []byte, _ *workspace) []token {
	if len(word) > m.maxChars && utf8.RuneCount(word) > m.maxChars {
		return append(dst, token{m.unknown, 0, len(word)})
	}
	first := len(dst)
	node := root
	for start := 0; start < len(word); {
		length, id := 0, noValue
		if node != noValue {
			length, id = m.trie.longest(node, word[start:])
		}
		if id == noValue {
			return append(dst[:first], token{m.unknown, 0, len(word)})
		}
		dst = append(dst, token{id, start, start + length})
		start += length
		node = m.continued
	}
	return dst
}
