package kserve

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paceline/paceline/internal/decimal"
	"github.com/paceline/paceline/internal/kserve/tensor"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// decodeData reads a tensor's elements from JSON, flat or nested: the order of
// the elements is the same.
func decodeData(t *tensor.Tensor, v wire.Value) error {
	if t.Datatype == tensor.FP16 || t.Datatype == tensor.BF16 {
		return invalid("receiving %s data via JSON is not supported. Please use the binary data format for input %s", t.Datatype, t.Name)
	}
	want, err := tensor.Elements(t.Shape)
	switch {
	case err != nil:
		return invalid("invalid shape for input '%s': %v", t.Name, err)
	case v.Kind() != '[':
		return invalid("Unable to parse 'data'")
	}
	dec := wire.NewDecoder(v)
	n := int64(0)
	for {
		e, err := dec.ReadToken()
		if err != nil { // the end: the value was checked when the body was
			break
		}
		if k := e.Kind(); k == '[' || k == ']' {
			continue
		}
		if n++; n > want {
			break
		}
		if t.Data, err = appendElement(t.Data, t.Datatype, e); err != nil {
			return invalid("Unable to parse 'data' of input '%s': element %d is not of %s: %.40s", t.Name, n-1, t.Datatype, e)
		}
	}
	if n != want {
		return invalid("Failed to parse 'data' field: shape %s of input '%s' does not match true shape", tensor.FormatShape(t.Shape), t.Name)
	}
	return nil
}

// appendElement appends a JSON value as an element. An integer must fit its
// datatype.
func appendElement(data []byte, d tensor.Datatype, e jsontext.Token) ([]byte, error) {
	switch d {
	case tensor.Bytes:
		if e.Kind() != '"' {
			return nil, strconv.ErrSyntax
		}
		return tensor.AppendString(data, e.String()), nil
	case tensor.Bool:
		switch e.Kind() {
		case 't':
			return append(data, 1), nil
		case 'f':
			return append(data, 0), nil
		}
	}
	if e.Kind() != '0' {
		return nil, strconv.ErrSyntax
	}
	bits := 8 * d.Size()
	switch d {
	case tensor.FP32, tensor.FP64:
		f, err := strconv.ParseFloat(e.String(), bits)
		if bits == 32 {
			return binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(f))), err
		}
		return binary.LittleEndian.AppendUint64(data, math.Float64bits(f)), err
	case tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64:
		n, err := strconv.ParseUint(e.String(), 10, bits)
		return tensor.AppendInt(data, d, int64(n)), err
	case tensor.Bool:
		return nil, strconv.ErrSyntax
	}
	n, err := strconv.ParseInt(e.String(), 10, bits)
	return tensor.AppendInt(data, d, n), err
}

// appendJSON appends a tensor's elements as one flat JSON list.
func appendJSON(b []byte, t *tensor.Tensor) ([]byte, error) {
	switch t.Datatype {
	case tensor.FP32:
		v, err := tensor.Floats(t.Data)
		return decimal.AppendVector(b, v), err
	case tensor.Bytes:
		n, err := tensor.Elements(t.Shape)
		if err != nil {
			return nil, err
		}
		list, err := tensor.Strings(t.Data, n)
		if err != nil {
			return nil, err
		}
		return appendList(b, len(list), func(b []byte, i int) []byte {
			b, _ = jsontext.AppendQuote(b, list[i]) // what is not UTF-8 becomes U+FFFD
			return b
		}), nil
	}
	ints, err := tensor.Ints(t.Datatype, t.Data)
	return appendList(b, len(ints), func(b []byte, i int) []byte { return strconv.AppendInt(b, ints[i], 10) }), err
}

func appendList(b []byte, n int, element func(b []byte, i int) []byte) []byte {
	b = append(b, '[')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = element(b, i)
	}
	return append(b, ']')
}
