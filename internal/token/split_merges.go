package token

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// metaspaceChar is what SentencePiece writes for a space.
const metaspaceChar = "▁"

// mergeBorders splits words where no merge can stand across: before a metaspace that follows another character, if no
// token of the model has these two side by side. A model whose words are whole texts (Gemma) then works on, and its
// cache remembers, words of usual length.
type mergeBorders struct {
	metaspace []byte
	joined    map[rune]bool // the characters that stand before a metaspace in some token
}

// newMergeBorders is nil if the model looks at words as a whole.
func newMergeBorders(m *bpe) splitter {
	// An unknown metaspace may be fused with what is before it.
	if _, known := m.vocab.id(metaspaceChar); !known || m.whole != nil || m.prefix != "" || m.suffix != "" || m.bytes != nil {
		return nil
	}
	b := mergeBorders{[]byte(metaspaceChar), map[rune]bool{}}
	for token := range m.vocab.ids {
		for rest := token; ; {
			before, after, found := strings.Cut(rest, metaspaceChar)
			if !found {
				break
			}
			if before != "" {
				last, _ := utf8.DecodeLastRuneInString(before)
				b.joined[last] = true
			}
			rest = after
			// What stands for other characters than its own may be merged too.
			if _, isByte := byteToken(before[max(0, len(before)-6):]); isByte || m.unknown != noValue &&
				strings.HasSuffix(before, m.vocab.tokens[m.unknown]) {
				return nil
			}
		}
	}
	return b
}

// next is the first border in a text, or the text's end.
func (b mergeBorders) next(text []byte) int {
	for at := 0; ; at += len(b.metaspace) {
		i := bytes.Index(text[at:], b.metaspace)
		if i < 0 {
			return len(text)
		}
		if at += i; i > 0 {
			if last, _ := utf8.DecodeLastRune(text[:at]); !b.joined[last] {
				return at
			}
		}
	}
}

func (mergeBorders) local() bool { return false }

func (b mergeBorders) split(p *piece) {
	splitMatches(p, isolated, func(text []byte) (start, end int) { return 0, b.next(text) })
}
