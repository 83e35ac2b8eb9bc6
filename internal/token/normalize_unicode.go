package token

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// unicodeForm is one of Unicode's normalization forms (Unicode 9, as the reference has it).
type unicodeForm struct {
	form          norm.Form
	decomposition norm.Form // NFD or NFKD, the form's first step
	composes      bool
}

var unicodeForms = map[string]unicodeForm{
	"NFD":  {norm.NFD, norm.NFD, false},
	"NFC":  {norm.NFC, norm.NFD, true},
	"NFKD": {norm.NFKD, norm.NFKD, false},
	"NFKC": {norm.NFKC, norm.NFKD, true},
}

func (unicodeForm) local() bool { return true }

func (f unicodeForm) normalize(p *piece) {
	// What is normal today was so in Unicode 9: characters that came later were starters without decomposition then.
	if f.form.IsNormal(p.text) {
		return
	}
	p.changes = p.changes[:0]
	for i, size := 0, 0; i < len(p.text); i += size {
		var r rune
		r, size = utf8.DecodeRune(p.text[i:])
		p.changes = appendParts(p.changes, f.decomposition, r)
	}
	orderMarks(p.changes)
	if f.composes {
		p.changes = recompose(p.changes)
	}
	p.apply()
}

// appendParts appends the decomposition of a character.
func appendParts(dst []change, form norm.Form, r rune) []change {
	var parts [18]rune // no decomposition is longer
	for i, part := range decompose(parts[:0], form, r) {
		dst = append(dst, change{part, min(i, 1)})
	}
	return dst
}

// orderMarks brings each run of combining marks into canonical order.
func orderMarks(changes []change) {
	start := 0
	for end := range len(changes) + 1 {
		if end < len(changes) && combiningClass(changes[end].char) != 0 {
			continue
		}
		if end-start > 1 {
			slices.SortStableFunc(changes[start:end], func(a, b change) int {
				return int(combiningClass(a.char)) - int(combiningClass(b.char))
			})
		}
		start = end + 1
	}
}

// recompose composes in place what was decomposed (Unicode Standard Annex 15, section 1.3). A composite stands for all
// the old characters that its parts stood for.
func recompose(changes []change) []change {
	out := changes[:0]
	starter, last := -1, -1 // the index in out of the last starter; the class of the last mark after it, -1 if none
	for _, c := range changes {
		class := int(combiningClass(c.char))
		if starter >= 0 && last < class || starter >= 0 && last == -1 {
			if composite, ok := compose(out[starter].char, c.char); ok {
				out[starter] = change{composite, out[starter].by + c.by - 1}
				continue
			}
		}
		if class == 0 {
			starter, last = len(out), -1
		} else {
			last = class
		}
		out = append(out, c)
	}
	return out
}
