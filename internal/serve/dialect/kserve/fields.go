package kserve

import (
	"strconv"

	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// object is the object in a field; an absent one has no fields.
func object(b *wire.Body, name string) (*wire.Body, error) {
	v, ok := b.Get(name)
	if !ok {
		return &wire.Body{}, nil
	}
	if v.Kind() != '{' {
		return nil, invalid("Unable to parse '%s'", name)
	}
	return wire.ParseBody(v)
}

// objects is the list of objects in a field; nil when there is no such field.
func objects(b *wire.Body, name string) ([]*wire.Body, error) {
	v, ok := b.Get(name)
	if !ok {
		return nil, nil
	}
	if v.Kind() != '[' {
		return nil, invalid("Unable to parse '%s'", name)
	}
	dec := wire.NewDecoder(v)
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	list := []*wire.Body{}
	for dec.PeekKind() == '{' {
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		end := dec.InputOffset()
		body, err := wire.ParseBody(v[end-int64(len(value)) : end]) // as it lies in v, not in the decoder
		if err != nil {
			return nil, err
		}
		list = append(list, body)
	}
	if dec.PeekKind() != ']' {
		return nil, invalid("Unable to parse '%s': its elements must be objects", name)
	}
	return list, nil
}

func flag(b *wire.Body, name string, otherwise bool) (bool, error) {
	v, ok := b.Get(name)
	switch {
	case !ok:
		return otherwise, nil
	case v.Kind() != 't' && v.Kind() != 'f':
		return false, invalid("Unable to parse '%s'", name)
	}
	return v.Kind() == 't', nil
}

func unsigned(b *wire.Body, name string) (uint64, error) {
	v, ok := b.Get(name)
	if !ok {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(v), 10, 64)
	if err != nil {
		return 0, invalid("Unable to parse '%s'", name)
	}
	return n, nil
}
