package driver

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// shape is how many vectors a reply holds and of which dimension.
type shape struct {
	count, dim int
	ragged     bool // not all of one dimension
}

func (s *shape) add(dim int) {
	if s.count > 0 && dim != s.dim {
		s.ragged = true
	}
	s.count++
	s.dim = dim
}

// What a scan can find wrong with a reply of the right status.
var (
	errMalformed = errors.New("not a reply of this dialect")
	errNaN       = errors.New("a value is no finite number")
)

// The classes of bytes that may stand inside a vector.
const (
	isNumber = 1 << iota // a decimal number's, commas and white space
	isWord               // the letters of NaN, Infinity, nan, null
	isOther
)

var classes = func() (c [256]byte) {
	for i := range c {
		c[i] = isOther
	}
	for _, b := range []byte("NaInfinitynul") {
		c[b] = isWord
	}
	for _, b := range []byte("0123456789+-.eE, \t\r\n") {
		c[b] = isNumber
	}
	return c
}()

// scanVector reads "[1.5,-2e-3]" at the head of b: its length in values and
// what follows. Counting commas is several times cheaper than parsing numbers
// and tells the same, as long as only numbers stand between them; whether they
// are the right numbers is for Embed to say.
func scanVector(b []byte) (dim int, rest []byte, err error) {
	if len(b) == 0 || b[0] != '[' {
		return 0, nil, errMalformed
	}
	end := bytes.IndexByte(b, ']')
	if end < 0 {
		return 0, nil, errMalformed
	}
	values := b[1:end]
	switch seen := classesOf(values); {
	case seen&isOther != 0:
		return 0, nil, errMalformed
	case seen&isWord != 0:
		return 0, nil, errNaN
	case len(bytes.TrimSpace(values)) == 0:
		return 0, b[end+1:], nil
	}
	return bytes.Count(values, []byte{','}) + 1, b[end+1:], nil
}

// classesOf joins the classes of all bytes. Replies are mostly digits, and this is most
// of what a check costs: 32 bytes at a time are let pass that lie between '+' and '9',
// then eight that can only be of numbers, and only the others are looked at one by one.
func classesOf(values []byte) (seen byte) {
	slashes := bytes.IndexByte(values, '/') >= 0 // the only byte from '+' to '9' that is in no number
	for len(values) >= 32 {
		if !slashes && fromPlusToNine((*[32]byte)(values)) {
			seen |= isNumber
		} else {
			seen |= classesOfWords(values[:32])
		}
		values = values[32:]
	}
	return seen | classesOfWords(values)
}

func classesOfWords(values []byte) (seen byte) {
	for ; len(values) >= 8; values = values[8:] {
		if numeric(binary.LittleEndian.Uint64(values)) {
			seen |= isNumber
			continue
		}
		for _, c := range values[:8] {
			seen |= classes[c]
		}
	}
	for _, c := range values {
		seen |= classes[c]
	}
	return seen
}

const ones, high = 0x0101010101010101, 0x8080808080808080

// fromPlusToNine says that each of 32 bytes lies there: b + 0x46 has its high bit from
// ':' to 0xb9, and b + 0x55 has not below '+' and from 0xab on, where alone a sum
// reaches the next byte.
func fromPlusToNine(b *[32]byte) bool {
	v, w := binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])
	x, y := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
	above := (v + 0x46*ones) | (w + 0x46*ones) | (x + 0x46*ones) | (y + 0x46*ones)
	from := (v + 0x55*ones) & (w + 0x55*ones) & (x + 0x55*ones) & (y + 0x55*ones)
	return (above|^from)&high == 0
}

// numeric says that each of eight bytes is a digit, one of + , - . or a space. It may
// deny that of others that stand in numbers (e, E, tabs), never the other way round.
//
// The high bit of a byte tells: b + 0x46 sets it from ':' on, b + 0x55 from '+' on, where
// below ':' only '/' does not belong to a number.
func numeric(w uint64) bool {
	if (w+0x46*ones|w)&high != 0 {
		return false
	}
	slash := w ^ '/'*ones
	space := w ^ ' '*ones
	spaces := ^(space + 0x7f*ones) // no byte has its high bit yet: only those of 0 do not get it
	return (slash-ones)&^slash&high == 0 && (w+0x55*ones|spaces)&high == high
}

// scanMatrix reads a JSON list of vectors at the head of b.
func scanMatrix(b []byte) (s shape, rest []byte, err error) {
	b = skipSpace(b)
	if len(b) == 0 || b[0] != '[' {
		return s, nil, errMalformed
	}
	b = skipSpace(b[1:])
	if len(b) > 0 && b[0] == ']' {
		return s, b[1:], nil
	}
	for {
		dim, rest, err := scanVector(b)
		if err != nil {
			return s, nil, err
		}
		s.add(dim)
		b = skipSpace(rest)
		if len(b) == 0 {
			return s, nil, errMalformed
		}
		switch b[0] {
		case ']':
			return s, b[1:], nil
		case ',':
			b = skipSpace(b[1:])
		default:
			return s, nil, errMalformed
		}
	}
}

// scanField finds the member called name, wherever in the object it stands, and
// reads the list of vectors that is its value.
func scanField(b []byte, name string) (shape, error) {
	value, ok := member(b, name)
	if !ok || !isObject(b) {
		return shape{}, errMalformed
	}
	s, _, err := scanMatrix(value)
	return s, err
}

// member returns what follows the colon of the next member called name. A
// string value that spells the name has no colon after it.
func member(b []byte, name string) (value []byte, ok bool) {
	quoted := []byte(`"` + name + `"`)
	for {
		i := bytes.Index(b, quoted)
		if i < 0 {
			return nil, false
		}
		b = skipSpace(b[i+len(quoted):])
		if len(b) > 0 && b[0] == ':' {
			return skipSpace(b[1:]), true
		}
	}
}

// isObject says whether b looks like one whole JSON object.
func isObject(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) >= 2 && b[0] == '{' && b[len(b)-1] == '}'
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}
