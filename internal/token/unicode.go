package token

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/rangetable"
)

// The reference implementation takes its Unicode tables from several crates of different ages: categories from Unicode
// 8, decompositions and combining classes from Unicode 9, regular expressions' classes from Unicode 16, lower case and
// numeric characters from Unicode 17. The functions
// below give the same answers for every code point out of Go's tables, restricted to what those versions had assigned,
// and the few code points that were classified anew. TestUnicodeTablesMatchReference holds them.
var (
	unicode8  = rangetable.Assigned("8.0.0")
	unicode9  = rangetable.Assigned("9.0.0")
	unicode15 = rangetable.Assigned("15.0.0")
)

// A class is a set of properties of a character.
type class uint16

const (
	space       class = 1 << iota // White_Space
	punctuation                   // ASCII punctuation and symbols, and the categories P*
	dropped                       // what BERT's cleaning removes: NUL, U+FFFD and the categories Cc, Cf, Co, but no \t, \n, \r
	nonspacing                    // Mn
	mark                          // M
	wordly                        // \w of regular expressions: letters, marks, decimal digits, connectors, joiners
	ideograph                     // the blocks that BERT puts spaces around
	nonstarter                    // characters whose decomposition begins with a combining mark of a class other than 0
	letter                        // \p{L} of regular expressions
	number                        // \p{N} of regular expressions
)

// classes are the classes of all characters.
var classes = runeTable[class]{compute: classify}

// classOf is the class of a character.
func classOf(r rune) class { return classes.at(r) }

func classify(r rune) (c class) {
	var parts [4]rune
	for property, holds := range map[class]bool{
		space:       unicode.IsSpace(r),
		punctuation: isPunctuation(r),
		dropped:     isDropped(r),
		nonspacing:  isNonspacing(r),
		mark:        isMark(r),
		wordly:      isWord(r),
		ideograph:   unicode.Is(ideographs, r),
		nonstarter:  combiningClass(decompose(parts[:0], norm.NFD, r)[0]) != 0,
		letter:      unicode.IsLetter(r) || unicode.Is(lettersSince15, r),
		number:      unicode.IsNumber(r) || unicode.Is(numbersSince15, r),
	} {
		if holds {
			c |= property
		}
	}
	return c
}

func isPunctuation(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r > ' ' && r < 0x7f && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	case r == 0x166D || r == 0x111C9:
		return true
	}
	return unicode.IsPunct(r) && unicode.Is(unicode8, r)
}

func isDropped(r rune) bool {
	switch r {
	case '\t', '\n', '\r':
		return false
	case 0, utf8.RuneError:
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co) && unicode.Is(unicode8, r)
}

func isNonspacing(r rune) bool {
	switch r {
	case 0x1734:
		return true
	case 0x1885, 0x1886, 0xA9BD, 0x111C9:
		return false
	}
	return unicode.Is(unicode.Mn, r) && unicode.Is(unicode8, r)
}

func isMark(r rune) bool {
	switch r {
	case 0x1CF2, 0x1CF3:
		return true
	case 0x111C9:
		return false
	}
	return unicode.Is(unicode.M, r) && unicode.Is(unicode9, r)
}

func isWord(r rune) bool {
	return unicode.Is(wordsSince15, r) || unicode.Is(unicode15, r) && unicode.In(r, unicode.L, unicode.M, unicode.Nd,
		unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control)
}

// toLower appends the lower case of a character: one, except for U+0130.
func toLower(dst []rune, r rune) []rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return append(dst, r)
	}
	if r == 0x130 {
		return append(dst, 'i', 0x307)
	}
	for _, l := range lowerSince15 {
		if l.low <= r && r <= l.high && (r-l.low)%l.stride == 0 {
			return append(dst, r+l.delta)
		}
	}
	return append(dst, unicode.ToLower(r))
}

// decompose appends the full decomposition of a character, not yet in canonical order: of form NFD or NFKD.
func decompose(dst []rune, form norm.Form, r rune) []rune {
	const hangul, hangulEnd = 0xAC00, 0xD7A4
	if r < 0xA0 {
		return append(dst, r)
	}
	if hangul <= r && r < hangulEnd {
		s := r - hangul
		dst = append(dst, 0x1100+s/588, 0x1161+s%588/28)
		if t := s % 28; t != 0 {
			dst = append(dst, 0x11A7+t)
		}
		return dst
	}
	var buffer [utf8.UTFMax]byte
	properties := form.Properties(buffer[:utf8.EncodeRune(buffer[:], r)])
	decomposition := properties.Decomposition()
	if decomposition == nil || !unicode.Is(unicode9, r) {
		return append(dst, r)
	}
	for len(decomposition) > 0 {
		d, size := utf8.DecodeRune(decomposition)
		dst, decomposition = append(dst, d), decomposition[size:]
	}
	return dst
}

// combiningClass is the canonical combining class; 0 for a starter.
func combiningClass(r rune) uint8 {
	if r < 0x300 {
		return 0
	}
	var buffer [utf8.UTFMax]byte
	ccc := norm.NFD.Properties(buffer[:utf8.EncodeRune(buffer[:], r)]).CCC()
	if ccc != 0 && !unicode.Is(unicode9, r) {
		return 0
	}
	return ccc
}

// compose is the primary composite of two characters, if there is one.
func compose(a, b rune) (rune, bool) {
	var buffer [4 * utf8.UTFMax]byte
	pair := utf8.AppendRune(utf8.AppendRune(buffer[:0], a), b)
	var out [4 * utf8.UTFMax]byte
	composed := norm.NFC.Append(out[:0], pair...)
	r, size := utf8.DecodeRune(composed)
	return r, size == len(composed) && unicode.Is(unicode9, r)
}

// ideographs are the blocks that BERT's tokenizer calls Chinese characters.
var ideographs = &unicode.RangeTable{
	R16: []unicode.Range16{{0x3400, 0x4DBF, 1}, {0x4E00, 0x9FFF, 1}, {0xF900, 0xFAFF, 1}},
	R32: []unicode.Range32{
		{0x20000, 0x2A6DF, 1}, {0x2A700, 0x2B73F, 1}, {0x2B740, 0x2B81F, 1}, {0x2B920, 0x2CEAF, 1}, {0x2F800, 0x2FA1F, 1},
	},
}

// wordsSince15 are the characters of \w that Unicode 16 added to those of Unicode 15.
var wordsSince15 = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x897, 0x897, 1}, {0x1c89, 0x1c8a, 1}, {0xa7cb, 0xa7cd, 1}, {0xa7da, 0xa7dc, 1},
	},
	R32: []unicode.Range32{
		{0x105c0, 0x105f3, 1}, {0x10d40, 0x10d65, 1}, {0x10d69, 0x10d6d, 1}, {0x10d6f, 0x10d85, 1}, {0x10ec2, 0x10ec4, 1},
		{0x10efc, 0x10efc, 1}, {0x11380, 0x11389, 1}, {0x1138b, 0x1138b, 1}, {0x1138e, 0x1138e, 1}, {0x11390, 0x113b5, 1},
		{0x113b7, 0x113c0, 1}, {0x113c2, 0x113c2, 1}, {0x113c5, 0x113c5, 1}, {0x113c7, 0x113ca, 1}, {0x113cc, 0x113d3, 1},
		{0x113e1, 0x113e2, 1}, {0x116d0, 0x116e3, 1}, {0x11bc0, 0x11be0, 1}, {0x11bf0, 0x11bf9, 1}, {0x11f5a, 0x11f5a, 1},
		{0x13460, 0x143fa, 1}, {0x16100, 0x16139, 1}, {0x16d40, 0x16d6c, 1}, {0x16d70, 0x16d79, 1}, {0x18cff, 0x18cff, 1},
		{0x1ccf0, 0x1ccf9, 1}, {0x1e5d0, 0x1e5fa, 1}, {0x2ebf0, 0x2ee5d, 1},
	},
}

// lettersSince15 are the characters of \p{L} that Unicode 16 added to those of Unicode 15.
var lettersSince15 = &unicode.RangeTable{
	R16: []unicode.Range16{{0x1c89, 0x1c8a, 1}, {0xa7cb, 0xa7cd, 1}, {0xa7da, 0xa7dc, 1}},
	R32: []unicode.Range32{
		{0x105c0, 0x105f3, 1}, {0x10d4a, 0x10d65, 1}, {0x10d6f, 0x10d85, 1}, {0x10ec2, 0x10ec4, 1}, {0x11380, 0x11389, 1},
		{0x1138b, 0x1138b, 1}, {0x1138e, 0x1138e, 1}, {0x11390, 0x113b5, 1}, {0x113b7, 0x113b7, 1}, {0x113d1, 0x113d1, 1},
		{0x113d3, 0x113d3, 1}, {0x11bc0, 0x11be0, 1}, {0x13460, 0x143fa, 1}, {0x16100, 0x1611d, 1}, {0x16d40, 0x16d6c, 1},
		{0x18cff, 0x18cff, 1}, {0x1e5d0, 0x1e5ed, 1}, {0x1e5f0, 0x1e5f0, 1}, {0x2ebf0, 0x2ee5d, 1},
	},
}

// numbersSince15 are the characters of \p{N} that Unicode 16 added to those of Unicode 15.
var numbersSince15 = &unicode.RangeTable{
	R32: []unicode.Range32{
		{0x10d40, 0x10d49, 1}, {0x116d0, 0x116e3, 1}, {0x11bf0, 0x11bf9, 1}, {0x16130, 0x16139, 1}, {0x16d70, 0x16d79, 1},
		{0x1ccf0, 0x1ccf9, 1}, {0x1e5f1, 0x1e5fa, 1},
	},
}

// isNumeric tells whether a character is of category N in Unicode 17.
func isNumeric(r rune) bool {
	return classOf(r)&number != 0 || 0x11DE0 <= r && r <= 0x11DE9 || 0x16FF4 <= r && r <= 0x16FF6
}

// lowerSince15 are the lower-case mappings that Unicode 16 and 17 added to those of Unicode 15.
var lowerSince15 = []struct{ low, high, stride, delta rune }{
	{0x1c89, 0x1c89, 1, 1}, {0xa7cb, 0xa7cb, 1, -42343}, {0xa7cc, 0xa7ce, 2, 1}, {0xa7d2, 0xa7d4, 2, 1},
	{0xa7da, 0xa7da, 1, 1}, {0xa7dc, 0xa7dc, 1, -42561}, {0x10d50, 0x10d65, 1, 32}, {0x16ea0, 0x16eb8, 1, 27},
}
