package token

import (
	"unicode"
	"unicode/utf8"
)

// A clusterClass is what a character does at the borders of grapheme clusters (Unicode Standard Annex 29, Unicode 17).
type clusterClass uint8

const (
	clusterControl clusterClass = 1 << iota
	clusterPrepend
	clusterExtend // Extend and ZWJ, which does the same and more
	clusterSpacing
	clusterPictograph
	clusterConsonant
	clusterLinker
)

const zeroWidthJoiner, zeroWidthNonJoiner = 0x200D, 0x200C

var clusterClasses = runeTable[clusterClass]{compute: classifyCluster}

func classifyCluster(r rune) clusterClass {
	switch {
	case r == zeroWidthJoiner, r == zeroWidthNonJoiner, 0x1F3FB <= r && r <= 0x1F3FF, unicode.Is(extendsSince15, r):
		return extendClass(r)
	case r == 0x1171E, unicode.Is(spacingSince15, r):
		return clusterSpacing
	case unicode.Is(prepends, r), unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return clusterPrepend
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Other_Grapheme_Extend):
		return extendClass(r)
	case unicode.Is(unicode.Mc, r) && !unicode.Is(notSpacing, r):
		return clusterSpacing
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp):
		return clusterControl
	case unicode.Is(pictographs, r):
		return clusterPictograph
	case unicode.Is(consonants, r):
		return clusterConsonant
	}
	return 0
}

func extendClass(r rune) clusterClass {
	if unicode.Is(linkers, r) {
		return clusterExtend | clusterLinker
	}
	return clusterExtend
}

// cluster is the length of the extended grapheme cluster at the beginning of text, which is not empty. Flags (regional
// indicators) are two clusters here: who asks treats clusters of six bytes and more as single characters.
func cluster(text []byte) int {
	r, end := utf8.DecodeRune(text)
	var joined conjunct
	before := clusterClasses.at(r)
	joined.add(r, before)
	for end < len(text) {
		next, size := utf8.DecodeRune(text[end:])
		class := clusterClasses.at(next)
		if !joins(r, next, before, class) && !joined.with(class) {
			break
		}
		joined.add(next, class)
		r, before = next, class
		end += size
	}
	return end
}

// joins tells whether two characters belong together without a look at those before them.
func joins(a, b rune, before, after clusterClass) bool {
	switch {
	case a == '\r' && b == '\n':
		return true
	case before&clusterControl != 0, after&clusterControl != 0:
		return false
	case after&(clusterExtend|clusterSpacing) != 0, before&clusterPrepend != 0:
		return true
	}
	return joinsHangul(a, b)
}

// joinsHangul tells whether two characters are of one syllable.
func joinsHangul(a, b rune) bool {
	switch before, after := hangulOf(a), hangulOf(b); before {
	case hangulLead:
		return after == hangulLead || after == hangulVowel || after == hangulOpen || after == hangulClosed
	case hangulVowel, hangulOpen:
		return after == hangulVowel || after == hangulTail
	case hangulTail, hangulClosed:
		return after == hangulTail
	}
	return false
}

type hangul int

const (
	notHangul hangul = iota
	hangulLead
	hangulVowel
	hangulTail
	hangulOpen   // a syllable without a tail
	hangulClosed // a syllable with one
)

func hangulOf(r rune) hangul {
	switch {
	case 0x1100 <= r && r <= 0x115F, 0xA960 <= r && r <= 0xA97C:
		return hangulLead
	case 0x1160 <= r && r <= 0x11A7, 0xD7B0 <= r && r <= 0xD7C6:
		return hangulVowel
	case 0x11A8 <= r && r <= 0x11FF, 0xD7CB <= r && r <= 0xD7FB:
		return hangulTail
	case 0xAC00 <= r && r <= 0xD7A3 && (r-0xAC00)%28 == 0:
		return hangulOpen
	case 0xAC00 <= r && r <= 0xD7A3:
		return hangulClosed
	}
	return notHangul
}

// A conjunct is what rules GB9c and GB11 know of the characters before a border: whether they are a consonant with a
// linker after it, or a pictograph with a joiner at the end, with nothing but extending characters between.
type conjunct struct{ consonant, linked, pictograph, joiner bool }

func (c *conjunct) add(r rune, class clusterClass) {
	switch {
	case class&clusterExtend != 0:
		c.joiner = c.pictograph && r == zeroWidthJoiner
		c.consonant = c.consonant && r != zeroWidthNonJoiner
		c.linked = c.consonant && (c.linked || class&clusterLinker != 0)
		c.pictograph = c.pictograph && !c.joiner
	default:
		*c = conjunct{consonant: class&clusterConsonant != 0, pictograph: class&clusterPictograph != 0}
	}
}

// with tells whether a character joins them.
func (c *conjunct) with(class clusterClass) bool {
	return c.linked && class&clusterConsonant != 0 || c.joiner && class&clusterPictograph != 0
}
