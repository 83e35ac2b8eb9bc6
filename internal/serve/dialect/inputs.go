package dialect

import (
	"fmt"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// DecodeStrings reads a list of strings. It keeps at most limit of them (0: all)
// and answers more with the error TooMany.
func DecodeStrings(field string, v wire.Value, limit int) ([]string, error) {
	if v.Kind() != '[' {
		return nil, wire.Wrong(field, "a list of strings", v.Kind())
	}
	dec := wire.NewDecoder(v)
	if _, err := dec.ReadToken(); err != nil { // the bracket
		return nil, err
	}
	var list []string
	for n := 0; ; n++ {
		t, err := dec.ReadToken()
		switch {
		case err != nil:
			return nil, err
		case t.Kind() == ']':
			return list, CheckCount(n, limit)
		case t.Kind() != '"':
			return nil, wire.Wrong(fmt.Sprintf("%s[%d]", field, n), "a string", t.Kind())
		case limit == 0 || n < limit:
			list = append(list, t.String())
		}
	}
}

// DecodeTexts reads a list of strings, or one string as a list of one.
func DecodeTexts(field string, v wire.Value, limit int) ([]string, error) {
	switch v.Kind() {
	case '"':
		s, err := wire.String(field, v)
		return []string{s}, err
	case '[':
		return DecodeStrings(field, v, limit)
	}
	return nil, wire.Wrong(field, "a string or a list of strings", v.Kind())
}

// DecodeInputs reads a string, a list of token ids, or a list of strings and
// lists of token ids. It keeps at most limit of them, as DecodeStrings does.
func DecodeInputs(field string, v wire.Value, limit int) ([]Input, error) {
	switch v.Kind() {
	case '"':
		s, err := wire.String(field, v)
		return []Input{{Text: s}}, err
	case '[':
	default:
		return nil, wire.Wrong(field, "a string, a list of token ids, or a list of either", v.Kind())
	}
	dec := wire.NewDecoder(v)
	if _, err := dec.ReadToken(); err != nil { // the bracket
		return nil, err
	}
	if dec.PeekKind() == '0' {
		ids, err := decodeIDs(dec, func() string { return field })
		return []Input{{IDs: ids}}, err
	}
	var list []Input
	for n := 0; ; n++ {
		at := func() string { return fmt.Sprintf("%s[%d]", field, n) }
		t, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		var in Input
		switch t.Kind() {
		case ']':
			return list, CheckCount(n, limit)
		case '"':
			in.Text = t.String()
		case '[':
			if in.IDs, err = decodeIDs(dec, at); err != nil {
				return nil, err
			}
		default:
			return nil, wire.Wrong(at(), "a string or a list of token ids", t.Kind())
		}
		if limit == 0 || n < limit {
			list = append(list, in)
		}
	}
}

// decodeIDs reads token ids up to the closing bracket. The list may be empty but
// is not nil.
func decodeIDs(dec *jsontext.Decoder, at func() string) ([]int32, error) {
	ids := []int32{}
	for {
		t, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		if t.Kind() == ']' {
			return ids, nil
		}
		if t.Kind() != '0' {
			return nil, wire.Wrong(fmt.Sprintf("%s[%d]", at(), len(ids)), "a token id", t.Kind())
		}
		id, err := t.Int()
		if err != nil || id < 0 || id > math.MaxInt32 {
			return nil, &wire.FieldError{Field: fmt.Sprintf("%s[%d]", at(), len(ids)), Problem: fmt.Sprintf("must be a token id, is %s", t)}
		}
		ids = append(ids, int32(id))
	}
}

// CheckCount holds the limit on the inputs of one request; 0 is none.
func CheckCount(n, limit int) error {
	if limit > 0 && n > limit {
		return Errorf(TooMany, "", "batch size %d > maximum allowed batch size %d", n, limit)
	}
	return nil
}

// PairInputs makes pairs of one text with each of several.
func PairInputs(first string, seconds []string) []Input {
	inputs := make([]Input, len(seconds))
	for i := range seconds {
		inputs[i] = Input{Text: first, Second: &seconds[i]}
	}
	return inputs
}

// TextInputs makes inputs of texts.
func TextInputs(lists ...[]string) []Input {
	n := 0
	for _, texts := range lists {
		n += len(texts)
	}
	inputs := make([]Input, 0, n)
	for _, texts := range lists {
		for _, text := range texts {
			inputs = append(inputs, Input{Text: text})
		}
	}
	return inputs
}
