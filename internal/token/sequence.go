package token

import (
	"unicode/utf8"
	"unsafe"
)

// appendTokens appends to dst, which is empty, the tokens of a text, at most limit.
func (t *Tokenizer) appendTokens(s *scratch, dst []token, text string, limit int, o Options) (tokens []token, cut bool) {

	if limit >= 0 && o.TruncateLeft {
		return t.appendLast(s, dst, text, limit, o.Offsets)
	}
	dst = t.appendFrom(s, dst, text, 0, limit, o.Offsets)
	if limit >= 0 && len(dst) > limit {
		return dst[:limit], true
	}
	return dst, false
}

// appendLast appends the last tokens of a text. It tries longer and longer ends of the text until one has enough.
func (t *Tokenizer) appendLast(s *scratch, dst []token, text string, limit int, tracked bool) (tokens []token, cut bool) {
	for size := 8*limit + 64; ; size *= 4 {
		start := t.boundaryBefore(text, len(text)-size, tracked)
		dst = t.appendFrom(s, dst[:0], text, start, noLimit, tracked)
		if len(dst) > limit {
			return dst[:copy(dst, dst[len(dst)-limit:])], true
		}
		if start == 0 {
			return dst, false
		}
	}
}

// appendFrom appends the tokens of text[at:]. It stops soon after it has more than limit.
func (t *Tokenizer) appendFrom(s *scratch, dst []token, text string, at, limit int, tracked bool) []token {
	raw := bytesOf(text)
	resume := at
	for {
		m, next, found := t.added.raw.next(raw, resume, at)
		gap := len(text)
		if found {
			gap = m.start
		}
		dst = t.appendPlain(s, dst, text, at, gap, limit, tracked)
		if !found || exceeds(dst, limit) {
			return dst
		}
		dst = append(dst, token{m.id, m.start, m.end})
		at, resume = m.end, next
	}
}

// bytesOf is a string's memory as bytes, only to be read: a text of a mebibyte is not copied to be looked through.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

func exceeds(tokens []token, limit int) bool { return limit >= 0 && len(tokens) > limit }

// chunkSize is about how many bytes of text are normalized and split at once.
const chunkSize = 2048

// appendPlain appends the tokens of text[start:end], in which no added token stands as it is.
func (t *Tokenizer) appendPlain(s *scratch, dst []token, text string, start, end, limit int, tracked bool) []token {
	for start < end && !exceeds(dst, limit) {
		size := chunkSize
		if limit >= 0 {
			size = min(size, 6*(limit-len(dst))+32)
		}
		stop := t.boundaryAfter(text[:end], start, start+size, tracked)
		dst = t.appendChunk(s, dst, text, start, stop, limit, tracked)
		start = stop
	}
	return dst
}

// appendChunk appends the tokens of text[start:end], which is normalized and split at once.
func (t *Tokenizer) appendChunk(s *scratch, dst []token, text string, start, end, limit int, tracked bool) []token {
	p := &s.piece
	p.load(text[start:end], start, tracked || t.tracks)
	if t.normalizer != nil {
		t.normalizer.normalize(p)
	}
	t.added.normalized.split(p)
	if t.splitter != nil {
		t.splitter.split(p)
	}
	if t.borders != nil {
		t.borders.split(p)
	}
	for _, w := range p.words {
		first := len(dst)
		if w.id != plain {
			dst = append(dst, token{w.id, 0, w.end - w.start})
		} else {
			dst = t.model.appendTokens(dst, p.text[w.start:w.end], &s.work)
		}
		if tracked {
			p.locate(dst[first:], w.start, text)
		}
		if exceeds(dst, limit) {
			break
		}
	}
	return dst
}

// locate turns positions in the word that begins at byte start of the piece into positions in the text.
func (p *piece) locate(tokens []token, start int, text string) {
	for i := range tokens {
		last := p.from[start+tokens[i].end-1]
		_, size := utf8.DecodeRuneInString(text[last:])
		tokens[i].start, tokens[i].end = p.from[start+tokens[i].start], last+size
	}
}

// split makes words of a piece's text: the added tokens that stand in it, and what is between them.
func (m *matcher) split(p *piece) {
	at, resume := 0, 0
	for {
		found, next, ok := m.next(p.text, resume, at)
		gap := len(p.text)
		if ok {
			gap = found.start
		}
		if at < gap {
			p.words = append(p.words, word{at, gap, plain})
		}
		if !ok {
			return
		}
		p.words = append(p.words, word(found))
		at, resume = found.end, next
	}
}

// boundaryAfter is the first place at byte i or later where text may be cut, or its end.
func (t *Tokenizer) boundaryAfter(text string, start, i int, tracked bool) int {
	if !t.cuts || tracked && t.drifts {
		return len(text)
	}
	for i = max(i, start+1); i < len(text); i++ {
		if t.boundary(text, i) {
			return i
		}
	}
	return len(text)
}

// boundaryBefore is the last place at byte i or earlier where text may be cut, or 0.
func (t *Tokenizer) boundaryBefore(text string, i int, tracked bool) int {
	if !t.cuts || tracked && t.drifts {
		return 0
	}
	for i = min(i, len(text)-1); i > 0; i-- {
		if t.boundary(text, i) && !t.insideMatch(text, i) {
			return i
		}
	}
	return 0
}

// boundary tells whether both sides of byte i, 0 < i < len(text), give the tokens that they give together.
func (t *Tokenizer) boundary(text string, i int) bool {
	switch c := text[i]; {
	case t.cutsLikeBert && c < utf8.RuneSelf:
		return t.asciiCuts[c]
	case t.cutsLikeBert && 0xE4 <= c && c <= 0xE9: // what most ideographs begin with
		r, _ := utf8.DecodeRuneInString(text[i:])
		return classOf(r)&ideograph != 0
	default:
		return c == ' ' && i+1 < len(text) && isAlphanumeric(text[i-1]) && isAlphanumeric(text[i+1])
	}
}

// insideMatch tells whether byte i is inside an added token.
func (t *Tokenizer) insideMatch(text string, i int) bool {
	raw := bytesOf(text)
	at, resume := 0, 0
	for resume <= i {
		m, next, found := t.added.raw.next(raw, resume, at)
		if !found || m.start >= i {
			return false
		}
		if i < m.end {
			return true
		}
		at, resume = m.end, next
	}
	return false
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
