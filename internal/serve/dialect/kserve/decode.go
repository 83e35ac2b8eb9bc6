package kserve

import (
	"strconv"
	"strings"

	"github.com/paceline/paceline/internal/kserve/tensor"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// DecodeHTTP reads the body of an infer request. headerLength is the header
// tensor.HeaderLength: "" when the whole body is JSON, "0" when it is the data of
// the model's only input. Raw tensors refer to the body.
func DecodeHTTP(model, version, headerLength string, body []byte) (*Request, error) {
	r := &Request{Model: model, Version: version}
	length, err := jsonLength(headerLength, len(body))
	if err != nil {
		return nil, err
	}
	if length == 0 && headerLength != "" {
		r.Raw, r.BinaryOutput = body, true
		return r, nil
	}
	b, err := ParseBody(body[:length])
	if err != nil {
		return nil, err
	}
	if err := r.decodeOptions(b); err != nil {
		return nil, err
	}
	raw := tensor.NewRaw(body[length:])
	if err := r.decodeInputs(b, raw, headerLength != ""); err != nil {
		return nil, err
	}
	if raw.Left() > 0 {
		return nil, invalid("unexpected additional input data for model '%s'", model)
	}
	return r, r.decodeOutputs(b)
}

func jsonLength(header string, body int) (int, error) {
	if header == "" {
		return body, nil
	}
	n, err := strconv.Atoi(header)
	switch {
	case err != nil:
		return 0, invalid("Unable to parse %s, got: %s", tensor.HeaderLength, header)
	case n < 0 || n > body:
		return 0, invalid("inference header size should be in range (0, %d), got: %s", body, header)
	}
	return n, nil
}

func (r *Request) decodeOptions(b *wire.Body) (err error) {
	if v, ok := b.Get("id"); ok {
		if r.ID, err = wire.String("id", v); err != nil {
			return invalid("Unable to parse 'id'")
		}
	}
	p, err := object(b, "parameters")
	if err != nil {
		return err
	}
	for name := range p.Names() {
		if err := checkParameter(name); err != nil {
			return err
		}
	}
	if r.BinaryOutput, err = flag(p, "binary_data_output", false); err != nil {
		return err
	}
	if r.Priority, err = unsigned(p, "priority"); err != nil {
		return err
	}
	timeout, err := unsigned(p, "timeout")
	r.setTimeout(timeout)
	return err
}

func (r *Request) decodeInputs(b *wire.Body, raw *tensor.Raw, framed bool) error {
	list, err := objects(b, "inputs")
	if err != nil || list == nil {
		return invalid("Unable to parse 'inputs'")
	}
	r.Inputs = make([]tensor.Tensor, len(list))
	for i, in := range list {
		if err := decodeInput(&r.Inputs[i], in, raw, framed); err != nil {
			return err
		}
	}
	return nil
}

func decodeInput(t *tensor.Tensor, in *wire.Body, raw *tensor.Raw, framed bool) error {
	if err := decodeMetadata(t, in); err != nil {
		return err
	}
	p, err := object(in, "parameters")
	if err != nil {
		return err
	}
	if err := onePlace(in, p); err != nil {
		return err
	}
	if v, ok := p.Get("shared_memory_region"); ok {
		region, _ := wire.String("shared_memory_region", v)
		return noSharedMemory(region)
	}
	if p.Has("binary_data_size") {
		size, err := unsigned(p, "binary_data_size")
		switch {
		case err != nil:
			return err
		case !framed:
			return invalid("must specify valid 'Infer-Header-Content-Length' in request header and 'binary_data_size' when passing inputs in binary data format")
		}
		if t.Data, err = raw.Next(int64(min(size, 1<<62))); err != nil {
			return invalid("unexpected size for input '%s': %v", t.Name, err)
		}
		return nil
	}
	data, ok := in.Get("data")
	if !ok {
		return invalid("Unable to parse 'data': input '%s' has none", t.Name)
	}
	return decodeData(t, data)
}

// onePlace refuses an input whose elements are in more than one place.
func onePlace(in, parameters *wire.Body) error {
	var places []string
	if in.Has("data") {
		places = append(places, "'data'")
	}
	for _, name := range []string{"binary_data_size", "shared_memory_region"} {
		if parameters.Has(name) {
			places = append(places, "'"+name+"'")
		}
	}
	if len(places) > 1 {
		return invalid("Input must set only one of the following fields: 'data', 'binary_data_size' in 'parameters', 'shared_memory_region' in 'parameters'. But set %s", strings.Join(places, " "))
	}
	return nil
}

func decodeMetadata(t *tensor.Tensor, in *wire.Body) error {
	for _, field := range []string{"name", "datatype"} {
		v, ok := in.Get(field)
		s, err := wire.String(field, v)
		if !ok || err != nil {
			return invalid("Unable to parse '%s'", field)
		}
		if field == "name" {
			t.Name = s
		} else {
			t.Datatype = tensor.Datatype(s)
		}
	}
	if t.Datatype.Size() < 0 {
		return invalid("invalid datatype for input %s: %q is not known", t.Name, string(t.Datatype))
	}
	v, ok := in.Get("shape")
	if !ok || v.Kind() != '[' {
		return invalid("Unable to parse 'shape'")
	}
	return decodeShape(t, v)
}

// maxRank is the most dimensions that a shape may have.
const maxRank = 32

func decodeShape(t *tensor.Tensor, v wire.Value) error {
	dec := wire.NewDecoder(v)
	if _, err := dec.ReadToken(); err != nil { // the bracket
		return err
	}
	for dec.PeekKind() != ']' {
		d, err := dec.ReadToken()
		if err != nil || d.Kind() != '0' || len(t.Shape) == maxRank {
			return invalid("Unable to parse 'shape' of input '%s'", t.Name)
		}
		n, err := strconv.ParseInt(d.String(), 10, 64)
		if err != nil {
			return invalid("Unable to parse 'shape' of input '%s'", t.Name)
		}
		t.Shape = append(t.Shape, n)
	}
	if _, err := tensor.Elements(t.Shape); err != nil {
		return invalid("invalid shape for input '%s': %v", t.Name, err)
	}
	return nil
}

func (r *Request) decodeOutputs(b *wire.Body) error {
	list, err := objects(b, "outputs")
	if err != nil {
		return invalid("Unable to parse 'outputs'")
	}
	for _, o := range list {
		v, _ := o.Get("name")
		name, err := wire.String("name", v)
		if err != nil {
			return invalid("Unable to parse 'name'")
		}
		p, err := object(o, "parameters")
		if err != nil {
			return err
		}
		switch region, shared := p.Get("shared_memory_region"); {
		case shared:
			name, _ := wire.String("", region)
			return noSharedMemory(name)
		case p.Has("classification"):
			return noClassification(name)
		}
		binary, err := flag(p, "binary_data", r.BinaryOutput)
		if err != nil {
			return err
		}
		r.Outputs = append(r.Outputs, Output{Name: name, Binary: binary})
	}
	return nil
}
