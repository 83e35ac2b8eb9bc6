package token

import (
	"fmt"
	"unicode/utf8"
)

func isSpace(r rune) bool { return classOf(r)&space != 0 }

// delimiters splits at each character that isDelimiter accepts.
type delimiters struct {
	isDelimiter func(rune) bool
	behavior    behavior
}

// A word boundary is before the space in any case, or there is none.
func (d delimiters) local() bool { return d.isDelimiter(' ') && d.behavior != mergedWithPrevious }

func (d delimiters) split(p *piece) {
	splitMatches(p, d.behavior, func(text []byte) (start, end int) {
		for i, size := 0, 0; i < len(text); i += size {
			var r rune
			if r, size = utf8.DecodeRune(text[i:]); d.isDelimiter(r) {
				return i, i + size
			}
		}
		return len(text), len(text)
	})
}

// newDigits makes words of numeric characters.
func newDigits(file splitterFile) delimiters {
	if file.IndividualDigits {
		return delimiters{isNumeric, isolated}
	}
	return delimiters{isNumeric, contiguous}
}

// patternSplitter splits at each occurrence of a pattern.
type patternSplitter struct {
	pattern  pattern
	behavior behavior
	spaces   bool // whether the pattern stands for spaces
}

func newPatternSplitter(file splitterFile) (splitter, error) {
	pattern, err := readPattern(file.Pattern)
	if err != nil {
		return nil, err
	}
	behavior, err := readBehavior(file.Behavior)
	if err != nil {
		return nil, err
	}
	if pattern.isTile() {
		return newTiler(pattern.source, behavior, file.Invert)
	}
	if file.Invert {
		return nil, fmt.Errorf("a Split at what is not %s is %w", file.Pattern, ErrUnsupported)
	}
	return patternSplitter{pattern, behavior, string(pattern.literal) == " "}, nil
}

func (s patternSplitter) local() bool { return s.spaces && s.behavior != mergedWithPrevious }

func (s patternSplitter) split(p *piece) { splitMatches(p, s.behavior, s.pattern.find) }

// splitMatches splits the words of a piece at what find finds: the first delimiter in a text, or its end twice.
func splitMatches(p *piece, b behavior, find func(text []byte) (start, end int)) {
	p.beginSplit()
	for _, w := range p.words {
		if w.id != plain {
			p.spareWords = append(p.spareWords, w)
			continue
		}
		first := len(p.spareWords)
		afterDelimiter := false // whether the last word ends in a delimiter
		for at := w.start; at < w.end; {
			start, end := find(p.text[at:w.end])
			start, end = start+at, end+at
			if at < start {
				p.spareWords = b.appendText(p.spareWords, first, word{at, start, plain}, afterDelimiter)
				afterDelimiter = false
			}
			if start < end {
				p.spareWords = b.appendDelimiter(p.spareWords, first, word{start, end, plain}, afterDelimiter)
				afterDelimiter = true
			}
			at = end
		}
	}
	p.finishSplit()
}

// appendText appends text between delimiters to words, of which those from first on came from the same word.
func (b behavior) appendText(words []word, first int, w word, afterDelimiter bool) []word {
	if b == mergedWithNext && afterDelimiter && len(words) > first {
		words[len(words)-1].end = w.end
		return words
	}
	return append(words, w)
}

// appendDelimiter appends a delimiter likewise.
func (b behavior) appendDelimiter(words []word, first int, w word, afterDelimiter bool) []word {
	previous := len(words) > first
	switch {
	case b == removed:
		return words
	case b == contiguous && previous && afterDelimiter, b == mergedWithPrevious && previous && !afterDelimiter:
		words[len(words)-1].end = w.end
		return words
	}
	return append(words, w)
}

// fixedLength makes words of so many characters.
type fixedLength int

func newFixedLength(file splitterFile) (splitter, error) {
	if file.Length == nil {
		return fixedLength(5), nil
	}
	if *file.Length < 1 {
		return nil, fmt.Errorf("length %d is not positive", *file.Length)
	}
	return fixedLength(*file.Length), nil
}

func (fixedLength) local() bool { return false }

func (n fixedLength) split(p *piece) {
	splitMatches(p, isolated, func(text []byte) (start, end int) {
		for range n {
			_, size := utf8.DecodeRune(text[end:])
			end += size
		}
		return 0, end
	})
}
