package token

import (
	"fmt"
	"unicode/utf8"
)

// The regular expressions of byte-level tokenizers need look-ahead and the classes of one version of Unicode, those of
// the reference (Oniguruma's Unicode 16): no Go library gives both. There are few of them, copied from file to file, so
// each is a function here, without backtracking. They match everywhere, so that a text becomes a row of matches: tiles.
var tilePatterns = map[string]func(text []byte) int{
	`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`:                                          tileGPT2,
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`:      tileQwen,
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`: tileLlama,
}

// A tiler splits words into tiles.
type tiler struct {
	tile func(text []byte) int // how long the tile at the beginning of text, which is not empty, is
}

// newTiler reads a Split at one of tilePatterns.
func newTiler(regex string, b behavior, invert bool) (splitter, error) {
	if b != isolated && !(b == removed && invert) {
		return nil, fmt.Errorf("a Split at regular expression %q which does not make each match a word is %w", regex, ErrUnsupported)
	}
	return tiler{tilePatterns[regex]}, nil
}

// Neither does a tile stand across a space between letters or digits, nor does it look beyond.
func (tiler) local() bool { return true }

func (t tiler) split(p *piece) {
	p.beginSplit()
	for _, w := range p.words {
		if w.id != plain {
			p.spareWords = append(p.spareWords, w)
			continue
		}
		for at := w.start; at < w.end; {
			next := at + t.tile(p.text[at:w.end])
			p.spareWords = append(p.spareWords, word{at, next, plain})
			at = next
		}
	}
	p.finishSplit()
}

// tileGPT2 is the expression of GPT-2, RoBERTa and ModernBERT.
func tileGPT2(text []byte) int {
	if n := contraction(text, false); n > 0 {
		return n
	}
	start := 0
	if text[0] == ' ' {
		start = 1
	}
	if start < len(text) {
		switch c, size := charClass(text[start:]); {
		case c&letter != 0:
			return run(text, start+size, letter, letter)
		case c&number != 0:
			return run(text, start+size, number, number)
		case c&space == 0:
			return run(text, start+size, letter|number|space, 0)
		}
	}
	return spaceTile(text, run(text, 0, space, space))
}

// tileQwen is the expression of Qwen 2 and 3: each digit by itself.
func tileQwen(text []byte) int { return tileLines(text, 1) }

// tileLlama is the expression of Llama 3 and cl100k: digits in groups of three.
func tileLlama(text []byte) int { return tileLines(text, 3) }

// tileLines is what expressions that keep line ends together share.
func tileLines(text []byte, digits int) int {
	if n := contraction(text, true); n > 0 {
		return n
	}
	c, size := charClass(text)
	switch {
	case c&letter != 0:
		return run(text, size, letter, letter)
	case c&number != 0:
		for ; digits > 1; digits-- {
			next, nextSize := charClass(text[size:])
			if next&number == 0 {
				break
			}
			size += nextSize
		}
		return size
	case text[0] != '\r' && text[0] != '\n':
		if next, nextSize := charClass(text[size:]); next&letter != 0 {
			return run(text, size+nextSize, letter, letter)
		}
	}
	start := 0
	if text[0] == ' ' {
		start = 1
	}
	if c, size := charClass(text[start:]); size > 0 && c&(space|letter|number) == 0 {
		end := run(text, start+size, space|letter|number, 0)
		for end < len(text) && isLineEnd(text[end]) {
			end++
		}
		return end
	}
	end := run(text, 0, space, space)
	for last := end; last > 0; last-- {
		if isLineEnd(text[last-1]) {
			return last
		}
	}
	return spaceTile(text, end)
}

func isLineEnd(b byte) bool { return b == '\r' || b == '\n' }

// spaceTile is \s+(?!\S)|\s+ where white space ends at byte end: its last character goes with what follows.
func spaceTile(text []byte, end int) int {
	if end == len(text) {
		return end
	}
	if _, size := utf8.DecodeLastRune(text[:end]); size < end {
		return end - size
	}
	return end
}

// run is where the characters end, from byte i on, whose classes among mask are exactly want (or, for a mask of one
// class, that are of it).
func run(text []byte, i int, mask, want class) int {
	for i < len(text) {
		c, size := charClass(text[i:])
		if c&mask != want {
			break
		}
		i += size
	}
	return i
}

// tileClasses are the classes of ASCII characters, without the detour over pages.
var tileClasses = func() (classes [utf8.RuneSelf]class) {
	for c := range classes {
		classes[c] = classOf(rune(c)) & (space | letter | number)
	}
	return classes
}()

// charClass is the class and size of a text's first character; 0 and 0 if there is none.
func charClass(text []byte) (c class, size int) {
	if len(text) == 0 {
		return 0, 0
	}
	if b := text[0]; b < utf8.RuneSelf {
		return tileClasses[b], 1
	}
	r, size := utf8.DecodeRune(text)
	return classOf(r) & (space | letter | number), size
}

// contraction is the length of 's|'t|'re|'ve|'m|'ll|'d at the beginning of text, 0 if there is none.
func contraction(text []byte, anyCase bool) int {
	if len(text) < 2 || text[0] != '\'' {
		return 0
	}
	first, second := text[1], byte(0)
	if len(text) > 2 {
		second = text[2]
	}
	if anyCase {
		if first == 0xC5 && second == 0xBF { // U+017F, a long s, is an s in another case
			return 3
		}
		first, second = lowerASCII(first), lowerASCII(second)
	}
	switch first {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if second == 'e' {
			return 3
		}
	case 'l':
		if second == 'l' {
			return 3
		}
	}
	return 0
}

func lowerASCII(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}
