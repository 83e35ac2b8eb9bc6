package driver

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
)

// openai is POST /v1/embeddings, with the vectors as JSON numbers or as base64
// of little-endian float32, which is what the official Python client asks for.
type openai struct {
	model  string
	base64 bool
}

func (o openai) door() string  { return "OpenAI /v1/embeddings, " + o.format() }
func (o openai) route() string { return "/v1/embeddings" }

func (o openai) format() string {
	if o.base64 {
		return "base64"
	}
	return "float"
}

func (o openai) body(texts []string) ([]byte, error) {
	return marshal(struct {
		Input          []string `json:"input"`
		Model          string   `json:"model"`
		EncodingFormat string   `json:"encoding_format"`
	}{texts, o.model, o.format()})
}

func (o openai) shape(reply []byte) (s shape, err error) {
	if !isObject(reply) {
		return s, errMalformed
	}
	data, ok := member(reply, "data")
	if !ok {
		return s, errMalformed
	}
	for {
		value, ok := member(data, "embedding")
		if !ok {
			return s, nil
		}
		dim, rest, err := o.scanValue(value)
		if err != nil {
			return s, err
		}
		s.add(dim)
		data = rest
	}
}

func (o openai) scanValue(b []byte) (dim int, rest []byte, err error) {
	if !o.base64 {
		return scanVector(b)
	}
	if len(b) == 0 || b[0] != '"' {
		return 0, nil, errMalformed
	}
	end := bytes.IndexByte(b[1:], '"')
	if end < 0 {
		return 0, nil, errMalformed
	}
	dim, err = scanBase64(b[1 : 1+end])
	return dim, b[2+end:], err
}

// scanBase64 counts the float32 of one vector and looks at each one's exponent.
// It decodes through a small window, so nothing is allocated.
func scanBase64(text []byte) (dim int, err error) {
	var window [768]byte // three quarters of 1,024 characters; whole float32
	for len(text) > 0 {
		part := text[:min(len(text), 1024)]
		n, err := base64.StdEncoding.Decode(window[:], part)
		if err != nil || n%4 != 0 {
			return 0, errMalformed
		}
		for i := 0; i < n; i += 4 {
			if binary.LittleEndian.Uint32(window[i:])&exponent == exponent {
				return 0, errNaN
			}
		}
		dim += n / 4
		text = text[len(part):]
	}
	return dim, nil
}

func (o openai) decode(reply []byte) ([][]float32, error) {
	var r struct {
		Data []struct {
			Index     int             `json:"index"`
			Embedding json.RawMessage `json:"embedding"`
		} `json:"data"`
	}
	if err := unmarshal(reply, &r); err != nil {
		return nil, err
	}
	if r.Data == nil {
		return nil, errMalformed
	}
	vectors := make([][]float32, len(r.Data))
	for _, d := range r.Data {
		if d.Index < 0 || d.Index >= len(vectors) || vectors[d.Index] != nil {
			return nil, fmt.Errorf("index %d among %d embeddings: each from 0 on must come once", d.Index, len(vectors))
		}
		v, err := o.decodeValue(d.Embedding)
		if err != nil {
			return nil, err
		}
		vectors[d.Index] = v
	}
	return vectors, nil
}

func (o openai) decodeValue(raw json.RawMessage) ([]float32, error) {
	if !o.base64 {
		v := []float32{}
		return v, json.Unmarshal(raw, &v)
	}
	var packed []byte // encoding/json reads standard base64 into bytes
	if err := json.Unmarshal(raw, &packed); err != nil {
		return nil, err
	}
	if len(packed)%4 != 0 {
		return nil, fmt.Errorf("base64 embedding of %d bytes: not a multiple of 4", len(packed))
	}
	v := make([]float32, len(packed)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(packed[4*i:]))
	}
	return v, nil
}

// ServedModel asks a service of the OpenAI dialect for the name of its first model,
// as GET /v1/models lists them: services refuse requests for any other.
func ServedModel(ctx context.Context, base string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	url := strings.TrimSuffix(strings.TrimSuffix(base, "/"), openai{}.route()) + "/v1/models"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	reply, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	const enough = 1 << 20
	if err := json.NewDecoder(io.LimitReader(reply.Body, enough)).Decode(&list); err != nil || len(list.Data) == 0 {
		return "", fmt.Errorf("%s names no model: status %s", url, reply.Status)
	}
	return list.Data[0].ID, nil
}

// exponent masks the exponent of a float32; all ones is infinite or no number.
const exponent = 0x7f800000
