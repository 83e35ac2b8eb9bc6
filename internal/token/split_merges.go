package token

import (
	"strings"
	"unicode/utf8"
)

// metaspaceChar is what SentencePiece writes for a space.
const metaspaceChar = "▁"

// mergeBorders splits words between two characters that no merge brings side by side, so that no token of the model
// stands across. A model whose words are whole texts (Gemma) then works on, and its cache remembers, words of usual
// length.
type mergeBorders struct {
	sides  [utf8.RuneSelf]side // of ASCII characters
	joined [sides][sides]bool  // whether a merge may bring characters of these sides together
}

// A side is what borders know a character as: an ASCII character with a token, the metaspace, or any other. The others
// may be merged as bytes or as unknown ones: before a metaspace alone is a border beside them.
type side = uint8

const (
	metaspaceSide side = utf8.RuneSelf + iota
	otherSide
	sides
)

// newMergeBorders is nil if the model looks at words as a whole.
func newMergeBorders(m *bpe) splitter {
	// An unknown metaspace may be fused with what is before it.
	if _, known := m.vocab.id(metaspaceChar); !known || m.whole != nil || m.ascii == nil || m.bytes != nil {
		return nil
	}
	b := new(mergeBorders)
	for c, id := range m.ascii {
		if b.sides[c] = side(c); id == noValue {
			b.sides[c] = otherSide
		}
	}
	for i := range sides {
		b.joined[i][otherSide] = true
		b.joined[otherSide][i] = i != metaspaceSide
	}
	for _, merge := range m.merges.slots {
		if merge.left != noValue {
			b.join(m, m.vocab.tokens[merge.left], m.vocab.tokens[merge.right])
		}
	}
	return b
}

// join notes what a merge brings together: a token's last character and another's first.
func (b *mergeBorders) join(m *bpe, left, right string) {
	last, _ := utf8.DecodeLastRuneInString(left)
	first, _ := utf8.DecodeRuneInString(right)
	b.joined[b.side(last)][b.side(first)] = true
	// What stands for other characters than its own.
	_, isByte := byteToken(left[max(0, len(left)-6):])
	if isByte || m.unknown != noValue && strings.HasSuffix(left, m.vocab.tokens[m.unknown]) {
		b.joined[otherSide][b.side(first)] = true
	}
}

func (b *mergeBorders) side(r rune) side {
	switch {
	case r < utf8.RuneSelf:
		return b.sides[r]
	case r == '▁':
		return metaspaceSide
	}
	return otherSide
}

func (*mergeBorders) local() bool { return false }

func (b *mergeBorders) split(p *piece) {
	p.beginSplit()
	for _, w := range p.words {
		if w.id == plain {
			p.spareWords = b.appendWords(p.spareWords, p.text[:w.end], w.start)
		} else {
			p.spareWords = append(p.spareWords, w)
		}
	}
	p.finishSplit()
}

// appendWords appends the words of text[start:].
func (b *mergeBorders) appendWords(words []word, text []byte, start int) []word {
	last := otherSide
	for i, size := start, 0; i < len(text); i += size {
		var next side
		if c := text[i]; c < utf8.RuneSelf {
			next, size = b.sides[c], 1
		} else {
			var r rune
			r, size = utf8.DecodeRune(text[i:])
			next = b.side(r)
		}
		if start < i && !b.joined[last][next] {
			words = append(words, word{start, i, plain})
			start = i
		}
		last = next
	}
	return append(words, word{start, len(text), plain})
}
