package driver

import (
	"bytes"
	"encoding/json"
)

// codec is one dialect's JSON over HTTP: pure functions of bytes.
type codec interface {
	door() string
	route() string
	// body encodes a request for the vectors of texts.
	body(texts []string) ([]byte, error)
	// shape counts the vectors of a reply and their values without decoding them.
	shape(reply []byte) (shape, error)
	// decode reads a reply in full.
	decode(reply []byte) ([][]float32, error)
}

// framed is a codec whose body is not all JSON: a header line of the request says
// how it is laid out.
type framed interface{ header(body []byte) string }

// marshal is JSON as services receive it from most clients: nothing escaped
// that need not be.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// fastapi is the FastAPI-style service: POST /embeddings, through its batching queue.
type fastapi struct{}

func (fastapi) door() string  { return "FastAPI-style /embeddings, JSON" }
func (fastapi) route() string { return "/embeddings" }

func (fastapi) body(texts []string) ([]byte, error) {
	return marshal(struct {
		Texts       []string `json:"texts"`
		Normalize   bool     `json:"normalize"`
		UseBatching bool     `json:"use_batching"`
	}{texts, true, true})
}

func (fastapi) shape(reply []byte) (shape, error)        { return scanField(reply, "embeddings") }
func (fastapi) decode(reply []byte) ([][]float32, error) { return decodeField(reply) }

// poc is the proof of concept's service: POST /embed with "texts".
type poc struct{}

func (poc) door() string  { return "PoC-style /embed with texts, JSON" }
func (poc) route() string { return "/embed" }

func (poc) body(texts []string) ([]byte, error) {
	return marshal(struct {
		Texts []string `json:"texts"`
	}{texts})
}

func (poc) shape(reply []byte) (shape, error)        { return scanField(reply, "embeddings") }
func (poc) decode(reply []byte) ([][]float32, error) { return decodeField(reply) }

// tei is text-embeddings-inference: POST /embed with "inputs".
type tei struct{}

func (tei) door() string  { return "TEI /embed, JSON" }
func (tei) route() string { return "/embed" }

func (tei) body(texts []string) ([]byte, error) {
	return marshal(struct {
		Inputs    []string `json:"inputs"`
		Normalize bool     `json:"normalize"`
		Truncate  bool     `json:"truncate"`
	}{texts, true, true})
}

func (tei) shape(reply []byte) (shape, error) {
	s, _, err := scanMatrix(reply)
	return s, err
}

func (tei) decode(reply []byte) ([][]float32, error) {
	var vectors [][]float32
	return vectors, unmarshal(reply, &vectors)
}

func decodeField(reply []byte) ([][]float32, error) {
	var r struct {
		Embeddings [][]float32 `json:"embeddings"`
	}
	if err := unmarshal(reply, &r); err != nil {
		return nil, err
	}
	if r.Embeddings == nil {
		return nil, errMalformed
	}
	return r.Embeddings, nil
}

// unmarshal reads JSON and tells values that are no numbers (NaN is what
// Python's encoder writes, null what others do) from replies that are no JSON.
func unmarshal(reply []byte, to any) error {
	if bytes.Contains(reply, []byte("NaN")) || bytes.Contains(reply, []byte("Infinity")) {
		return errNaN
	}
	return json.Unmarshal(reply, to)
}
