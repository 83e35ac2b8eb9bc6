package kserve

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paceline/paceline/internal/kserve/tensor"
)

// Body is an answer for HTTP: JSON, and the raw tensors that follow it.
type Body struct {
	JSON []byte
	Raw  [][]byte
}

// Len is the length of the whole body.
func (b *Body) Len() int {
	n := len(b.JSON)
	for _, raw := range b.Raw {
		n += len(raw)
	}
	return n
}

// EncodeHTTP writes the answer to a request. Raw tensors refer to the response.
func EncodeHTTP(r *Request, answer *Response) (*Body, error) {
	body := &Body{}
	b := make([]byte, 0, 512)
	field := func(name, value string) {
		b = append(append(append(b, '"'), name...), `":`...)
		b, _ = jsontext.AppendQuote(b, value)
		b = append(b, ',')
	}
	b = append(b, '{')
	if answer.ID != "" {
		field("id", answer.ID)
	}
	field("model_name", answer.Model)
	field("model_version", answer.Version)
	b = append(b, `"outputs":[`...)
	for i := range answer.Outputs {
		t := &answer.Outputs[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		field("name", t.Name)
		field("datatype", string(t.Datatype))
		b = append(b, `"shape":`...)
		b = append(b, tensor.FormatShape(t.Shape)...)
		if r.binary(t.Name) {
			b = append(b, `,"parameters":{"binary_data_size":`...)
			b = strconv.AppendInt(b, int64(len(t.Data)), 10)
			b = append(b, "}}"...)
			body.Raw = append(body.Raw, t.Data)
			continue
		}
		b = append(b, `,"data":`...)
		var err error
		if b, err = appendJSON(b, t); err != nil {
			return nil, err
		}
		b = append(b, '}')
	}
	body.JSON = append(b, "]}"...)
	return body, nil
}
