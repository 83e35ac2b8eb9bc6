package token

import "unicode/utf8"

// wordSplitter (pre-tokenizer Whitespace) makes words of the matches of \w+|[^\w\s]+.
type wordSplitter struct{}

func (wordSplitter) local() bool { return true }

func (wordSplitter) split(p *piece) {
	p.beginSplit()
	for _, w := range p.words {
		if w.id != plain {
			p.spareWords = append(p.spareWords, w)
			continue
		}
		start, kind := w.start, space
		for i := w.start; i <= w.end; {
			next, size := space, 1
			if i < w.end {
				var r rune
				r, size = utf8.DecodeRune(p.text[i:w.end])
				next = classOf(r) & (wordly | space)
			}
			if next != kind {
				if kind != space && start < i {
					p.spareWords = append(p.spareWords, word{start, i, plain})
				}
				start, kind = i, next
			}
			i += size
		}
	}
	p.finishSplit()
}
