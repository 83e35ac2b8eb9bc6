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

// scanVector reads "[1.5,-2e-3]" at the head of b: its length in values and
// what follows. Counting commas is several times cheaper than parsing numbers
// and tells the same, as long as only numbers stand between them; whether they
// are the right numbers is for Embed to say.
func scanVector(b []byte) (dim int, rest []byte, err error) {
	if len(b) == 0 || b[0] != '[' {
		return 0, nil, errMalformed
	}
	b = b[1:]
	end, err := endOfNumbers(b)
	if err != nil {
		return 0, nil, err
	}
	values, rest := b[:end], b[end+1:]
	switch {
	case bytes.IndexByte(values, '"') >= 0:
		return 0, nil, errMalformed
	case len(bytes.TrimSpace(values)) == 0:
		return 0, rest, nil
	}
	return bytes.Count(values, []byte{','}) + 1, rest, nil
}

// endOfNumbers is the place of the bracket that ends a list of numbers. In JSON a list
// of anything else holds a quote, which is not looked for here, or one of the bytes from
// '@' on: brackets, braces, letters. Replies are mostly digits, and this is what a check
// costs, so blocks without such bytes are passed over.
func endOfNumbers(b []byte) (int, error) {
	for i := 0; i < len(b); {
		i += blocksBelowAt(b[i:])
		for _, c := range b[i:min(i+block, len(b))] {
			switch {
			case c == ']':
				return i, nil
			case c >= '@' && c != 'e' && c != 'E':
				return 0, noNumber(b[:i+1])
			}
			i++
		}
	}
	return 0, errMalformed
}

// noNumber says what a list is whose last byte here is in no number: the first letter of
// NaN, Infinity, nan, inf or null, or something else.
func noNumber(list []byte) error {
	last := list[len(list)-1]
	if bytes.IndexByte([]byte("NIni"), last) >= 0 && bytes.IndexByte(list, '"') < 0 {
		return errNaN
	}
	return errMalformed
}

const (
	block  = 64
	fromAt = 0xc0c0c0c0c0c0c0c0 // the bits of which every byte from '@' on has one
)

// blocksBelowAt is the length of the whole blocks at the head of b in which every byte
// is below '@'.
func blocksBelowAt(b []byte) (n int) {
	for ; len(b) >= block; b = b[block:] {
		w := (*[block]byte)(b)
		low := word(w[0:]) | word(w[8:]) | word(w[16:]) | word(w[24:])
		high := word(w[32:]) | word(w[40:]) | word(w[48:]) | word(w[56:])
		if (low|high)&fromAt != 0 {
			break
		}
		n += block
	}
	return n
}

func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

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
