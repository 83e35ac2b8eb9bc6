package token

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// unigram splits a word into the tokens whose scores, logarithms of probabilities, have the greatest sum (Kudo 2018).
// Characters that no token has are unknown; those side by side are one token.
type unigram struct {
	vocab        *vocabulary
	trie         *trie
	scores       []float64
	unknown      int32
	unknownScore float64
	fallback     *[256]int32 // tokens of the bytes of unknown characters; nil: none
}

// unknownPenalty is how much less than the lowest score an unknown character has.
const unknownPenalty = 10

// A path is the best way found from a word's beginning to a byte.
type path struct {
	score float64
	id    int32 // of its last token
	start int32 // where that begins; noValue: there is no way yet
}

// scoredToken is an entry of a Unigram vocabulary: a list of two in tokenizer.json.
type scoredToken struct {
	token string
	score float64
}

func (s *scoredToken) UnmarshalJSON(data []byte) error {
	pair := []any{&s.token, &s.score}
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("want a token and its score, got %s", data)
	}
	return nil
}

func readUnigram(raw json.RawMessage) (model, error) {
	var file struct {
		UnkID        *int32        `json:"unk_id"`
		ByteFallback bool          `json:"byte_fallback"`
		Vocabulary   []scoredToken `json:"vocab"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, err
	}
	if file.UnkID == nil {
		return nil, fmt.Errorf("a Unigram without unk_id, which cannot encode every text, is %w", ErrUnsupported)
	}
	return newUnigram(file.Vocabulary, *file.UnkID, file.ByteFallback)
}

func newUnigram(tokens []scoredToken, unknown int32, byteFallback bool) (*unigram, error) {
	if unknown < 0 || int(unknown) >= len(tokens) {
		return nil, fmt.Errorf("unk_id %d is not in the vocabulary of %d", unknown, len(tokens))
	}
	m := &unigram{unknown: unknown, unknownScore: math.Inf(1)}
	m.vocab = &vocabulary{ids: make(map[string]int32, len(tokens)), size: len(tokens)}
	for id, t := range tokens {
		m.vocab.ids[t.token] = int32(id)
		m.vocab.tokens = append(m.vocab.tokens, t.token)
		m.scores = append(m.scores, t.score)
		m.unknownScore = min(m.unknownScore, t.score)
	}
	m.unknownScore -= unknownPenalty
	if byteFallback {
		m.fallback = m.vocab.byteTokens(func(b byte) string { return fmt.Sprintf("<0x%02X>", b) })
	}
	var err error
	m.trie, err = m.vocab.trie()
	return m, err
}

func (m *unigram) vocabulary() *vocabulary { return m.vocab }

func (m *unigram) appendTokens(dst []token, word []byte, w *workspace) []token {
	m.search(word, w)
	first := len(dst)
	for end := int32(len(word)); end > 0; {
		p := w.paths[end]
		if p.id == m.unknown {
			for p.start > 0 && w.paths[p.start].id == m.unknown {
				p.start = w.paths[p.start].start
			}
			dst = m.appendUnknown(dst, word, int(p.start), int(end))
		} else {
			dst = append(dst, token{p.id, int(p.start), int(end)})
		}
		end = p.start
	}
	slices.Reverse(dst[first:])
	return dst
}

// appendUnknown appends what a stretch of unknown characters is, from its end on: a token after all, or bytes, each of
// which stands for the whole stretch, or one unknown token.
func (m *unigram) appendUnknown(dst []token, word []byte, start, end int) []token {
	text := word[start:end]
	id, known := m.vocab.ids[string(text)]
	switch {
	case known:
		return append(dst, token{id, start, end})
	case !m.hasBytes(text):
		return append(dst, token{m.unknown, start, end})
	}
	for _, b := range slices.Backward(text) {
		dst = append(dst, token{m.fallback[b], start, end})
	}
	return dst
}

// search makes w.paths the best ways to all bytes of a word.
func (m *unigram) search(word []byte, w *workspace) {
	w.paths = append(w.paths[:0], path{})
	for range word {
		w.paths = append(w.paths, path{start: noValue})
	}
	for start, size := 0, 0; start < len(word); start += size {
		_, size = utf8.DecodeRune(word[start:])
		before := w.paths[start].score
		single := false // whether the character is a token by itself
		node := root
		for i := start; i < len(word); i++ {
			var id int32
			if node, id = m.trie.step(node, word[i]); node == noValue {
				break
			}
			if id == noValue {
				continue
			}
			single = single || i+1 == start+size
			w.paths[i+1].offer(before+m.scores[id], id, start)
		}
		if !single {
			w.paths[start+size].offer(before+m.unknownScore, m.unknown, start)
		}
	}
}

// offer takes a way to the path's byte if it is better than the one known.
func (p *path) offer(score float64, id int32, start int) {
	if p.start == noValue || score > p.score {
		*p = path{score, id, int32(start)}
	}
}

// hasBytes tells whether there are tokens for all bytes of a text.
func (m *unigram) hasBytes(text []byte) bool {
	if m.fallback == nil {
		return false
	}
	for _, b := range text {
		if m.fallback[b] == noValue {
			return false
		}
	}
	return true
}
