package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// An addedToken is recognised in the text itself, before or after normalizing, and never split.
type addedToken struct {
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // only where no \w stands beside it
	LStrip     bool   `json:"lstrip"`      // takes the white space before it along
	RStrip     bool   `json:"rstrip"`      // and that after it
	Normalized bool   `json:"normalized"`  // looked for in normalized text, in its own normalized form
	Special    bool   `json:"special"`

	id   int32
	form string // what is looked for
}

// addedTokens is the vocabulary on top of the model's.
type addedTokens struct {
	tokens     []addedToken // by id
	special    map[string]bool
	raw        matcher // those looked for in the text as it came
	normalized matcher // those looked for in normalized text
}

// readAddedTokens reads added tokens. A token that the model knows has the model's id; others are numbered on, as the
// reference does it, whatever id the file gives.
func readAddedTokens(raw json.RawMessage, vocab *vocabulary, n normalizer) (*addedTokens, error) {
	var tokens []addedToken
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &tokens); err != nil {
			return nil, err
		}
	}
	a := &addedTokens{special: map[string]bool{}}
	ids := map[string]int32{}
	next := int32(vocab.size)
	for _, t := range tokens {
		if t.Content == "" {
			continue
		}
		id, known := ids[t.Content]
		if !known {
			if id, known = vocab.id(t.Content); !known {
				id = next
			}
			ids[t.Content] = id
			next = max(next, id+1)
		}
		t.id, t.form = id, t.Content
		if t.Normalized && n != nil {
			t.form = normalizeString(n, t.Content)
		}
		if t.Special {
			a.special[t.Content] = true
		}
		a.put(t)
	}
	return a, a.index()
}

// put adds a token or replaces the one of the same id.
func (a *addedTokens) put(t addedToken) {
	i, found := slices.BinarySearchFunc(a.tokens, t.id, func(t addedToken, id int32) int { return int(t.id) - int(id) })
	if found {
		a.tokens[i] = t
	} else {
		a.tokens = slices.Insert(a.tokens, i, t)
	}
}

func (a *addedTokens) index() error {
	forms, bytes := map[bool]map[string]string{true: {}, false: {}}, 0
	for i, t := range a.tokens {
		m := &a.raw
		if t.Normalized {
			m = &a.normalized
		}
		if other, taken := forms[t.Normalized][t.form]; taken {
			return fmt.Errorf("added tokens %q and %q are both looked for as %q", other, t.Content, t.form)
		}
		forms[t.Normalized][t.form] = t.Content
		if bytes += len(t.form); bytes > maxTrieBytes {
			return fmt.Errorf("they have more than %d bytes", maxTrieBytes)
		}
		m.add(t, int32(i))
		m.tokens = a.tokens
	}
	return nil
}

// wrote tells whether a token stands in that text as an added token does, and not as what a model knows nothing of.
func (a *addedTokens) wrote(id int32, text string) bool {
	t, added := a.byID(id)
	return added && (t.Normalized || strings.Contains(text, t.Content))
}

// byID is the added token of an id.
func (a *addedTokens) byID(id int32) (addedToken, bool) {
	i, found := slices.BinarySearchFunc(a.tokens, id, func(t addedToken, id int32) int { return int(t.id) - int(id) })
	if !found {
		return addedToken{}, false
	}
	return a.tokens[i], true
}

// byContent is the id of an added token.
func (a *addedTokens) byContent(content string) (int32, bool) {
	i := slices.IndexFunc(a.tokens, func(t addedToken) bool { return t.Content == content })
	if i < 0 {
		return 0, false
	}
	return a.tokens[i].id, true
}

// normalizeString normalizes a string by itself.
func normalizeString(n normalizer, s string) string {
	var p piece
	p.load(s, 0, false)
	n.normalize(&p)
	return string(p.text)
}

// A matcher finds added tokens in a text, leftmost first and of those the longest.
type matcher struct {
	tokens []addedToken
	trie   *trie // values are indexes into tokens; nil if nothing is looked for
	first  [256]bool
	firsts []byte // the same as a list
	spaces bool   // whether a match may begin or end in white space, or stand across it
}

func (m *matcher) add(t addedToken, index int32) {
	if t.form == "" {
		return
	}
	if m.trie == nil {
		m.trie = newTrie()
	}
	m.trie.add(t.form, index)
	if b := t.form[0]; !m.first[b] {
		m.first[b] = true
		m.firsts = append(m.firsts, b)
	}
	m.spaces = m.spaces || t.LStrip || t.RStrip || slices.ContainsFunc([]rune(t.form), isSpace)
}

// A match is an added token and the stretch of text that it takes.
type match struct {
	start, end int
	id         int32
}

// next finds the first match that begins at byte at or later. taken is where the match before ended: white space up to
// there is not taken again. resume is where to look for the match after this one.
func (m *matcher) next(text []byte, at, taken int) (found match, resume int, ok bool) {
	if m.trie == nil {
		return match{}, 0, false
	}
	for at = m.candidate(text, at); at < len(text); at = m.candidate(text, at) {
		length, index := m.trie.longest(root, text[at:])
		if index == noValue {
			at++
			continue
		}
		t := &m.tokens[index]
		start, end := at, at+length
		at = end
		if t.SingleWord && !standsAlone(text, start, end) {
			continue
		}
		found = match{start, end, t.id}
		if t.LStrip {
			found.start = max(spacesBefore(text, start), taken)
		}
		if t.RStrip {
			found.end = spacesAfter(text, end)
		}
		return found, end, true
	}
	return match{}, 0, false
}

// candidate is the first byte at or after at that an added token begins with, or the text's end.
func (m *matcher) candidate(text []byte, at int) int {
	if len(m.firsts) == 1 {
		if i := bytes.IndexByte(text[at:], m.firsts[0]); i >= 0 {
			return at + i
		}
		return len(text)
	}
	for at < len(text) && !m.first[text[at]] {
		at++
	}
	return at
}

func standsAlone(text []byte, start, end int) bool {
	before, _ := utf8.DecodeLastRune(text[:start])
	after, _ := utf8.DecodeRune(text[end:])
	return (start == 0 || classOf(before)&wordly == 0) && (end == len(text) || classOf(after)&wordly == 0)
}

// spacesBefore is where the white space that ends at byte i begins.
func spacesBefore(text []byte, i int) int {
	for i > 0 {
		r, size := utf8.DecodeLastRune(text[:i])
		if !isSpace(r) {
			break
		}
		i -= size
	}
	return i
}

// spacesAfter is where the white space that begins at byte i ends.
func spacesAfter(text []byte, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRune(text[i:])
		if !isSpace(r) {
			break
		}
		i += size
	}
	return i
}
