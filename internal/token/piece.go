package token

import "unicode/utf8"

// A piece is a stretch of the text on its way to words. Normalizers rewrite text, splitters replace words, both through
// spare buffers that are swapped in, so that a piece used again allocates nothing.
type piece struct {
	text  []byte // valid UTF-8
	from  []int  // for each byte of text the position of the original character it came from; empty unless tracked
	words []word // what is left of text after splitting, in order

	tracked    bool
	spareText  []byte
	spareFrom  []int
	spareWords []word
	changes    []change
	origins    []int
}

// A word is text[start:end] of a piece: either for the model to tokenize (id < 0) or an added token with its id.
type word struct {
	start, end int
	id         int32
}

// plain marks a word that is not an added token.
const plain int32 = -1

// load fills the piece with a stretch of the text that begins at byte base. Bytes that are no UTF-8 become U+FFFD.
func (p *piece) load(text string, base int, tracked bool) {
	p.text, p.from, p.words, p.tracked = p.text[:0], p.from[:0], p.words[:0], tracked
	if !tracked && utf8.ValidString(text) {
		p.text = append(p.text, text...)
		return
	}
	for i, r := range text {
		p.text = utf8.AppendRune(p.text, r)
		if tracked {
			p.from = appendTimes(p.from, base+i, len(p.text))
		}
	}
}

// appendTimes appends v until dst has length n.
func appendTimes(dst []int, v, n int) []int {
	for len(dst) < n {
		dst = append(dst, v)
	}
	return dst
}

// begin starts a rewriting of the text: put what it shall become, then call finish.
func (p *piece) begin() { p.spareText, p.spareFrom = p.spareText[:0], p.spareFrom[:0] }

// put appends a character that came from the one at byte i of the text being rewritten.
func (p *piece) put(r rune, i int) {
	p.spareText = utf8.AppendRune(p.spareText, r)
	if p.tracked {
		p.spareFrom = appendTimes(p.spareFrom, p.from[i], len(p.spareText))
	}
}

// putString appends characters that came from the one at byte i of the text being rewritten.
func (p *piece) putString(s string, i int) {
	p.spareText = append(p.spareText, s...)
	if p.tracked {
		p.spareFrom = appendTimes(p.spareFrom, p.from[i], len(p.spareText))
	}
}

// finish makes the text what was put since begin.
func (p *piece) finish() {
	p.text, p.spareText = p.spareText, p.text
	p.from, p.spareFrom = p.spareFrom, p.from
}

// filter keeps the characters that keep accepts.
func (p *piece) filter(keep func(rune) bool) {
	p.begin()
	for i, size := 0, 0; i < len(p.text); i += size {
		var r rune
		if r, size = utf8.DecodeRune(p.text[i:]); keep(r) {
			p.put(r, i)
		}
	}
	p.finish()
}

// A change is one character of a rewritten text and how many characters of the old text it stands for: 1 + -by of them
// if by <= 0, none (it was inserted) if by > 0. The counting is the reference's, whose offsets follow from it.
type change struct {
	char rune
	by   int
}

// apply rewrites the text by p.changes: a character comes from the first old one that it stands for, an inserted one
// from the old character before.
func (p *piece) apply() {
	p.begin()
	next, last := 0, 0
	for _, c := range p.changes {
		if c.by > 0 {
			p.put(c.char, last)
			continue
		}
		p.put(c.char, next)
		for n := c.by; n <= 0; n++ {
			_, size := utf8.DecodeRune(p.text[next:])
			last, next = next, next+size
		}
	}
	p.finish()
}

// copy puts text[start:end] as it is.
func (p *piece) copy(start, end int) {
	p.spareText = append(p.spareText, p.text[start:end]...)
	if p.tracked {
		p.spareFrom = append(p.spareFrom, p.from[start:end]...)
	}
}
