package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// lowercase maps each character by itself to its lower case.
type lowercase struct{}

func (lowercase) local() bool { return true }

func (lowercase) normalize(p *piece) {
	var lower [2]rune
	p.begin()
	for i, size := 0, 0; i < len(p.text); i += size {
		var r rune
		r, size = utf8.DecodeRune(p.text[i:])
		for _, l := range toLower(lower[:0], r) {
			p.put(l, i)
		}
	}
	p.finish()
}

// stripAccents removes all combining marks.
type stripAccents struct{}

func (stripAccents) local() bool        { return true }
func (stripAccents) normalize(p *piece) { p.filter(func(r rune) bool { return classOf(r)&mark == 0 }) }

// strip removes the white space at the ends of the text.
type strip struct{ left, right bool }

func (strip) local() bool { return false }

func (s strip) normalize(p *piece) {
	isSpace := func(r rune) bool { return classOf(r)&space != 0 }
	start, end := 0, len(p.text)
	if s.left {
		start = end - len(bytes.TrimLeftFunc(p.text, isSpace))
	}
	if s.right {
		end = start + len(bytes.TrimRightFunc(p.text[start:], isSpace))
	}
	p.begin()
	p.copy(start, end)
	p.finish()
}

// prepend puts a string before a text that is not empty.
type prepend string

func (prepend) local() bool { return false }

func (s prepend) normalize(p *piece) {
	if len(p.text) == 0 {
		return
	}
	p.begin()
	for _, r := range string(s) {
		p.put(r, 0)
	}
	p.copy(0, len(p.text))
	p.finish()
}

// replace puts content in place of each occurrence of pattern.
type replace struct {
	pattern []byte
	content string
}

func newReplace(file normalizerFile) (normalizer, error) {
	pattern, err := readPattern(file.Pattern)
	return replace{pattern, file.Content}, err
}

// readPattern reads a pattern that is a plain string.
func readPattern(raw json.RawMessage) ([]byte, error) {
	var pattern struct {
		String *string
		Regex  *string
	}
	if err := json.Unmarshal(raw, &pattern); err != nil {
		return nil, err
	}
	switch {
	case pattern.Regex != nil:
		return nil, unsupported("pattern", "Regex", "String")
	case pattern.String == nil || *pattern.String == "":
		return nil, errors.New("a pattern must be a string of at least one character")
	}
	return []byte(*pattern.String), nil
}

// A pattern without spaces cannot stand across the place where a text is cut.
func (r replace) local() bool { return !bytes.ContainsRune(r.pattern, ' ') }

func (r replace) normalize(p *piece) {
	p.begin()
	start := 0
	for {
		i := bytes.Index(p.text[start:], r.pattern)
		if i < 0 {
			break
		}
		end := start + i + len(r.pattern)
		p.copy(start, start+i)
		for _, c := range r.content {
			p.put(c, end-1)
		}
		start = end
	}
	p.copy(start, len(p.text))
	p.finish()
}
