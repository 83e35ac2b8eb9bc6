package token

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// bertNormalizer cleans text of control characters, puts spaces around ideographs, removes accents and lowers case, as
// its flags say. All four steps are done in one pass: apart from the order of combining marks, each looks at one
// character only.
type bertNormalizer struct {
	clean, ideographs, strip, lower bool

	ascii [utf8.RuneSelf]byte // what an ASCII character becomes; asciiDropped: nothing
	chars runeTable[bertChar]
}

// bertChar is what becomes of a character: itself or another one (then it is that one), or one of the cases below.
type bertChar int32

const (
	bertDropped bertChar = -1 - iota
	bertPadded           // itself between spaces
	bertSeveral          // several characters
	bertMark             // a mark that is not removed, or ends in one, so that canonical order matters
)

const asciiDropped = 0xff

func newBertNormalizer(file normalizerFile) *bertNormalizer {
	flag := func(f *bool) bool { return f == nil || *f } // the reference's own defaults
	n := &bertNormalizer{
		clean:      flag(file.CleanText),
		ideographs: flag(file.HandleChineseChars),
		lower:      flag(file.Lowercase),
	}
	n.strip = n.lower
	if file.StripAccents != nil {
		n.strip = *file.StripAccents
	}
	n.chars.compute = n.classify
	for c := range n.ascii {
		n.ascii[c] = asciiDropped
		if m := n.classify(rune(c)); m >= 0 {
			n.ascii[c] = byte(m)
		}
	}
	return n
}

func (n *bertNormalizer) local() bool { return true }

func (n *bertNormalizer) normalize(p *piece) {
	p.begin()
	settled := 0
	for i := 0; i < len(p.text); {
		if i = n.normalizeASCII(p, i); i < len(p.text) {
			i, settled = n.normalizeRune(p, i, settled)
		}
	}
	p.finish()
}

// normalizeASCII puts the ASCII characters from byte i on and returns where they end.
func (n *bertNormalizer) normalizeASCII(p *piece, i int) int {
	text := p.text
	out := slices.Grow(p.spareText, len(text)-i)
	length := len(out)
	out = out[:length+len(text)-i]
	for ; i < len(text); i++ {
		c := text[i]
		if c >= utf8.RuneSelf {
			break
		}
		to := n.ascii[c]
		if to == asciiDropped {
			continue
		}
		out[length] = to
		length++
		if p.tracked {
			p.spareFrom = append(p.spareFrom, p.from[i])
		}
	}
	p.spareText = out[:length]
	return i
}

// normalizeRune puts what the character at byte i becomes, together with the marks after it where their order counts,
// and returns where they end. Up to byte settled the order of marks is known not to count.
func (n *bertNormalizer) normalizeRune(p *piece, i, settled int) (next, nextSettled int) {
	r, size := utf8.DecodeRune(p.text[i:])
	to := n.char(r)
	padded := n.ideographs && classOf(r)&ideograph != 0 // so that marks after it belong to a space
	if n.strip && !padded && (to == bertMark || i+size > settled) {
		marked := to == bertMark
		if !marked {
			settled, marked = n.marks(p.text, i+size)
		}
		if marked {
			return n.normalizeCluster(p, i), settled
		}
	}
	switch to {
	case bertDropped:
	case bertPadded:
		p.put(' ', i)
		p.put(r, i)
		p.put(' ', i)
	case bertSeveral:
		var several [6]rune
		for _, s := range n.several(several[:0], r) {
			p.put(s, i)
		}
	default:
		p.put(rune(to), i)
	}
	return i + size, settled
}

// marks looks through the combining marks from byte i on: for the first bertMark, or else where they end.
func (n *bertNormalizer) marks(text []byte, i int) (end int, found bool) {
	for size := 0; i < len(text); i += size {
		if c := text[i]; c < utf8.RuneSelf && n.ascii[c] != asciiDropped {
			break
		}
		var r rune
		r, size = utf8.DecodeRune(text[i:])
		switch c := classOf(r); {
		case n.clean && c&dropped != 0:
		case c&nonstarter == 0:
			return i, false
		case n.char(r) == bertMark:
			return i, true
		}
	}
	return i, false
}

// normalizeCluster puts the character at byte i and the combining marks after it in canonical order, and returns where
// they end. Accents are removed afterwards only: they take part in the order, and so in the offsets.
func (n *bertNormalizer) normalizeCluster(p *piece, i int) int {
	p.changes, p.origins = p.changes[:0], p.origins[:0]
	for i < len(p.text) {
		r, size := utf8.DecodeRune(p.text[i:])
		if c := classOf(r); !n.clean || c&dropped == 0 {
			if len(p.origins) > 0 && c&nonstarter == 0 {
				break
			}
			p.changes = appendParts(p.changes, norm.NFD, r)
			p.origins = append(p.origins, i)
		}
		i += size
	}
	orderMarks(p.changes)
	next := 0
	for _, c := range p.changes {
		if c.by == 0 {
			next++
		}
		if classOf(c.char)&nonspacing == 0 {
			n.putLower(p, c.char, p.origins[next-1])
		}
	}
	return i
}

func (n *bertNormalizer) putLower(p *piece, r rune, i int) {
	if !n.lower {
		p.put(r, i)
		return
	}
	var lower [2]rune
	for _, l := range toLower(lower[:0], r) {
		p.put(l, i)
	}
}

// char is what becomes of a character.
func (n *bertNormalizer) char(r rune) bertChar { return n.chars.at(r) }

func (n *bertNormalizer) classify(r rune) bertChar {
	c := classOf(r)
	if n.clean {
		if c&dropped != 0 {
			return bertDropped
		}
		if c&space != 0 {
			return ' '
		}
	}
	var several [6]rune
	to := n.several(several[:0], r)
	switch {
	case n.strip && slices.ContainsFunc(to, func(r rune) bool { return combiningClass(r) != 0 }):
		return bertMark
	case len(to) == 3 && to[0] == ' ' && to[1] == r && to[2] == ' ':
		return bertPadded
	case len(to) == 0:
		return bertDropped
	case len(to) > 1:
		return bertSeveral
	}
	return bertChar(to[0])
}

// several appends what becomes of a character that cleaning leaves alone.
func (n *bertNormalizer) several(dst []rune, r rune) []rune {
	padded := n.ideographs && classOf(r)&ideograph != 0
	var buffer [4]rune
	parts := append(buffer[:0], r)
	if n.strip {
		parts = decompose(buffer[:0], norm.NFD, r)
	}
	if padded {
		dst = append(dst, ' ')
	}
	for _, part := range parts {
		switch {
		case n.strip && classOf(part)&nonspacing != 0:
		case n.lower:
			dst = toLower(dst, part)
		default:
			dst = append(dst, part)
		}
	}
	if padded {
		dst = append(dst, ' ')
	}
	return dst
}
