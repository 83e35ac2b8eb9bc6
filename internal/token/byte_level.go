package token

import "unicode/utf8"

// byteLevelChars are the characters that byte-level vocabularies (GPT-2) write bytes with: printable bytes stand for
// themselves, as in Latin-1, and the others are counted on from U+0100.
var byteLevelChars = func() (chars [256]rune) {
	next := rune(256)
	for b := range chars {
		switch {
		case '!' <= b && b <= '~', 0xA1 <= b && b <= 0xAC, 0xAE <= b:
			chars[b] = rune(b)
		default:
			chars[b] = next
			next++
		}
	}
	return chars
}()

// byteLevelSpace is how byte-level vocabularies write a space.
var byteLevelSpace = byteLevelChars[' ']

var bytesOfByteLevel = func() map[rune]byte {
	bytes := make(map[rune]byte, 256)
	for b, r := range byteLevelChars {
		bytes[r] = byte(b)
	}
	return bytes
}()

// byteLevelBytes appends the bytes that byteLevelChars stand for; ok is false if there are other characters in s.
func byteLevelBytes(dst []byte, s string) (bytes []byte, ok bool) {
	for _, r := range s {
		b, ok := bytesOfByteLevel[r]
		if !ok {
			return dst, false
		}
		dst = append(dst, b)
	}
	return dst, true
}

// byteLevel (pre-tokenizer and normalizer) writes the text's bytes in byteLevelChars.
type byteLevel struct{}

func (byteLevel) local() bool { return true }

func (byteLevel) normalize(p *piece) {
	p.begin()
	p.spell(0, len(p.text))
	p.finish()
}

// spell puts the bytes of text[start:end] as characters.
func (p *piece) spell(start, end int) {
	for i := start; i < end; i++ {
		p.put(byteLevelChars[p.text[i]], i)
	}
}

// byteLevelSplitter does the same to words.
type byteLevelSplitter struct{}

// It splits nothing.
func (byteLevelSplitter) local() bool { return false }

func (byteLevelSplitter) split(p *piece) {
	p.rewriteWords(func(w word) { p.spell(w.start, w.end) })
}

// spacePrefixer puts a space before each word that begins with none.
type spacePrefixer struct{}

func (spacePrefixer) local() bool { return false }

func (spacePrefixer) split(p *piece) {
	p.rewriteWords(func(w word) {
		if p.text[w.start] != ' ' {
			p.put(' ', w.start)
		}
		p.copy(w.start, w.end)
	})
}

// rewriteWords rewrites the text of all words but added tokens: put what the word shall become.
func (p *piece) rewriteWords(put func(w word)) {
	p.begin()
	p.beginSplit()
	for _, w := range p.words {
		start := len(p.spareText)
		if w.id == plain {
			put(w)
		} else {
			p.copy(w.start, w.end)
		}
		p.spareWords = append(p.spareWords, word{start, len(p.spareText), w.id})
	}
	p.finish()
	p.finishSplit()
}

// newByteLevel is the pre-tokenizer ByteLevel: its three steps.
func newByteLevel(file splitterFile) splitters {
	var steps splitters
	if file.AddPrefixSpace == nil || *file.AddPrefixSpace {
		steps = append(steps, spacePrefixer{})
	}
	if file.UseRegex == nil || *file.UseRegex {
		steps = append(steps, tiler{tileGPT2})
	}
	return append(steps, byteLevelSplitter{})
}

// A byteLevelDecoder turns byteLevelChars back into bytes, and what is no UTF-8 then into U+FFFD. A token with other
// characters stands for itself.
type byteLevelDecoder struct{}

func (byteLevelDecoder) decode(tokens []string) []string {
	var text []byte
	for _, token := range tokens {
		if bytes, ok := byteLevelBytes(text, token); ok {
			text = bytes
		} else {
			text = append(text, token...)
		}
	}
	return []string{replaceInvalid(text)}
}

// replaceInvalid puts one U+FFFD in place of each maximal part of a character (Unicode Standard 3.9, as Rust does it).
func replaceInvalid(text []byte) string {
	if utf8.Valid(text) {
		return string(text)
	}
	var valid []byte
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			size = truncatedSize(text)
		}
		valid = utf8.AppendRune(valid, r)
		text = text[size:]
	}
	return string(valid)
}

// truncatedSize is how many bytes at the text's beginning are the beginning of a character, at least 1.
func truncatedSize(text []byte) int {
	for size := min(3, len(text)); size > 1; size-- {
		if !utf8.FullRune(text[:size]) {
			return size
		}
	}
	return 1
}
