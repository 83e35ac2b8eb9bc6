package token

import (
	"bytes"
	"fmt"
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
	p.putString(string(s), 0)
	p.copy(0, len(p.text))
	p.finish()
}

// replace puts content in place of each occurrence of a pattern.
type replace struct {
	pattern pattern
	content string
}

func newReplace(file normalizerFile) (normalizer, error) {
	pattern, err := readPattern(file.Pattern)
	if err == nil && pattern.isTile() {
		err = fmt.Errorf("to replace regular expression %q is %w", pattern.source, ErrUnsupported)
	}
	return replace{pattern, file.Content}, err
}

func (r replace) local() bool { return !r.pattern.reachesOver() }

func (r replace) normalize(p *piece) {
	first, end := r.pattern.find(p.text)
	if first == end {
		return
	}
	p.begin()
	start := 0
	for at := first; at < end; {
		p.copy(start, at)
		p.putString(r.content, end-1)
		start = end
		at, end = r.pattern.find(p.text[start:])
		at, end = at+start, end+start
	}
	p.copy(start, len(p.text))
	p.finish()
}

// nmt is the character clean-up of machine translation: control characters go, and what stands for a space becomes one.
type nmt struct{}

func (nmt) local() bool { return true }

func (nmt) normalize(p *piece) {
	p.begin()
	for i, size := 0, 0; i < len(p.text); i += size {
		var r rune
		r, size = utf8.DecodeRune(p.text[i:])
		switch {
		case 0x01 <= r && r <= 0x08, r == 0x0B, 0x0E <= r && r <= 0x1F, r == 0x7F, r == 0x8F, r == 0x9F:
		case r == '\t', r == '\n', r == '\f', r == '\r', r == 0x1680, 0x200B <= r && r <= 0x200F, r == 0x2028, r == 0x2029,
			r == 0x2581, r == 0xFEFF, r == utf8.RuneError:
			p.put(' ', i)
		default:
			p.put(r, i)
		}
	}
	p.finish()
}
