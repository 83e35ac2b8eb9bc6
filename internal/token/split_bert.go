package token

import "unicode/utf8"

// bertSplitter splits at white space, which it removes, and makes each punctuation character a word.
type bertSplitter struct{}

func (bertSplitter) local() bool { return true }

// asciiClasses are the classes of ASCII characters, without the detour over pages.
var asciiClasses = func() (classes [utf8.RuneSelf]class) {
	for c := range classes {
		classes[c] = classOf(rune(c)) & (space | punctuation)
	}
	return classes
}()

func (bertSplitter) split(p *piece) {
	p.beginSplit()
	for _, w := range p.words {
		if w.id != plain {
			p.spareWords = append(p.spareWords, w)
			continue
		}
		p.spareWords = appendBertWords(p.spareWords, p.text, w.start, w.end)
	}
	p.finishSplit()
}

// appendBertWords appends the words of text[i:end].
func appendBertWords(words []word, text []byte, i, end int) []word {
	text = text[:end]
	start := i // of the word that is being read
	for i < len(text) {
		var c class
		size := 1
		if b := text[i]; b < utf8.RuneSelf {
			c = asciiClasses[b]
		} else {
			var r rune
			r, size = utf8.DecodeRune(text[i:])
			c = classOf(r) & (space | punctuation)
		}
		if c == 0 {
			i += size
			continue
		}
		if start < i {
			words = append(words, word{start, i, plain})
		}
		if c&punctuation != 0 {
			words = append(words, word{i, i + size, plain})
		}
		i += size
		start = i
	}
	if start < i {
		words = append(words, word{start, i, plain})
	}
	return words
}
