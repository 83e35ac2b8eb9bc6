package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Body is a request body taken apart at its top level: the fields of an object
// in their order, or one bare value. Field values stay raw until they are asked
// for, so a field that nobody knows costs nothing but its reading.
type Body struct {
	Bare   Value // the whole value when it is not an object; empty otherwise
	fields []field
}

type field struct {
	name  string
	value Value
}

// Value is one JSON value in its raw, checked form.
type Value = jsontext.Value

// lenient accepts what clients are known to send: lone surrogates and bytes that
// are not UTF-8 (read as U+FFFD), and repeated names (the last one counts).
var lenient = []jsontext.Options{jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)}

// NewDecoder reads the tokens of one value.
func NewDecoder(v Value) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(v), lenient...)
}

// ErrSyntax wraps every error of a body that is not one JSON value.
var ErrSyntax = errors.New("the body is not valid JSON")

// ParseBody takes data apart. The Body refers to data, which must stay as it is
// as long as the Body is in use. Errors wrap ErrSyntax.
func ParseBody(data []byte) (*Body, error) {
	dec := NewDecoder(data)
	body, err := readBody(dec, data)
	if err == nil {
		if _, err = dec.ReadToken(); errors.Is(err, io.EOF) {
			return body, nil
		}
		err = fmt.Errorf("more than one value")
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("it is empty")
	}
	return nil, fmt.Errorf("%w: %s", ErrSyntax, strings.TrimPrefix(err.Error(), "jsontext: "))
}

func readBody(dec *jsontext.Decoder, data []byte) (*Body, error) {
	if dec.PeekKind() != '{' {
		v, err := readValue(dec, data)
		return &Body{Bare: v}, err
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	body := &Body{fields: make([]field, 0, 8)}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, err
		}
		text := name.String()
		value, err := readValue(dec, data)
		if err != nil {
			return nil, err
		}
		body.fields = append(body.fields, field{text, value})
	}
	_, err := dec.ReadToken()
	return body, err
}

// readValue is dec's next value as it lies in data, which outlives the decoder's
// own view of it.
func readValue(dec *jsontext.Decoder, data []byte) (Value, error) {
	v, err := dec.ReadValue()
	end := dec.InputOffset()
	return data[end-int64(len(v)) : end], err
}

// Get returns the value of a field. A field that is null counts as absent.
func (b *Body) Get(name string) (Value, bool) {
	for i := len(b.fields) - 1; i >= 0; i-- {
		if f := &b.fields[i]; f.name == name {
			return f.value, f.value.Kind() != 'n'
		}
	}
	return nil, false
}

// Names are the names of all fields, in order, the unknown ones too.
func (b *Body) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range b.fields {
			if !yield(b.fields[i].name) {
				return
			}
		}
	}
}

// Has tells whether a field is there and not null.
func (b *Body) Has(name string) bool {
	_, ok := b.Get(name)
	return ok
}
