package driver

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/paceline/paceline/internal/kserve/tensor"
)

// kserveHTTP is KServe v2 over HTTP as Triton's clients speak it: tensors go both
// ways by the binary extension, raw behind a JSON header. The model has an input
// "texts" and an output "embeddings".
type kserveHTTP struct{ model string }

// pipelineModel is the model that takes texts where no other is named.
const pipelineModel = "embedding_pipeline"

func (kserveHTTP) door() string    { return "KServe v2 over HTTP, binary tensors" }
func (k kserveHTTP) route() string { return "/v2/models/" + k.model + "/infer" }

func (k kserveHTTP) body(texts []string) ([]byte, error) {
	raw := tensor.StringsData(texts)
	type parameters struct {
		Size   int  `json:"binary_data_size,omitempty"`
		Binary bool `json:"binary_data,omitempty"`
	}
	type description struct {
		Name       string     `json:"name"`
		Shape      []int      `json:"shape,omitempty"`
		Datatype   string     `json:"datatype,omitempty"`
		Parameters parameters `json:"parameters"`
	}
	header, err := marshal(struct {
		Inputs  []description `json:"inputs"`
		Outputs []description `json:"outputs"`
	}{
		[]description{{"texts", []int{len(texts), 1}, string(tensor.Bytes), parameters{Size: len(raw)}}},
		[]description{{Name: "embeddings", Parameters: parameters{Binary: true}}},
	})
	return append(header, raw...), err
}

// header tells the service where the JSON ends.
func (kserveHTTP) header(body []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	_ = decoder.Decode(&json.RawMessage{}) // body wrote it
	return fmt.Sprintf("%s: %d", tensor.HeaderLength, decoder.InputOffset())
}

// kserveHeader is what stands before the vectors. The header's length is told by
// an HTTP header too; the end of the JSON object says the same.
type kserveHeader struct {
	Outputs []struct {
		Name       string `json:"name"`
		Datatype   string `json:"datatype"`
		Shape      []int  `json:"shape"`
		Parameters struct {
			Size int `json:"binary_data_size"`
		} `json:"parameters"`
	} `json:"outputs"`
}

// split gives the rows and columns that the header promises, and the vectors' bytes.
func (kserveHTTP) split(reply []byte) (rows, columns int, raw []byte, err error) {
	var header kserveHeader
	decoder := json.NewDecoder(bytes.NewReader(reply))
	if err := decoder.Decode(&header); err != nil {
		return 0, 0, nil, fmt.Errorf("%w: %w", errMalformed, err)
	}
	raw = reply[decoder.InputOffset():]
	if len(header.Outputs) != 1 || header.Outputs[0].Name != "embeddings" || header.Outputs[0].Datatype != "FP32" || len(header.Outputs[0].Shape) != 2 {
		return 0, 0, nil, fmt.Errorf("%w: want one output, embeddings, FP32 of two dimensions", errMalformed)
	}
	output := header.Outputs[0]
	rows, columns = output.Shape[0], output.Shape[1]
	const most = maxReply / 4
	if rows < 0 || columns < 0 || rows > most || columns > most || 4*rows*columns != len(raw) || output.Parameters.Size != len(raw) {
		return 0, 0, nil, fmt.Errorf("%w: shape %v with %d bytes", errMalformed, output.Shape, len(raw))
	}
	return rows, columns, raw, nil
}

func (k kserveHTTP) shape(reply []byte) (shape, error) {
	rows, columns, raw, err := k.split(reply)
	if err != nil {
		return shape{}, err
	}
	return rawShape(rows, columns, raw)
}

// rawShape looks at the exponent of every float32 of a tensor.
func rawShape(rows, columns int, raw []byte) (shape, error) {
	for ; len(raw) > 0; raw = raw[4:] {
		if binary.LittleEndian.Uint32(raw)&exponent == exponent {
			return shape{}, errNaN
		}
	}
	if rows == 0 {
		return shape{}, nil
	}
	return shape{count: rows, dim: columns}, nil
}

func (k kserveHTTP) decode(reply []byte) ([][]float32, error) {
	rows, columns, raw, err := k.split(reply)
	if err != nil {
		return nil, err
	}
	return rawVectors(rows, columns, raw), nil
}

func rawVectors(rows, columns int, raw []byte) [][]float32 {
	vectors := make([][]float32, rows)
	for i := range vectors {
		vectors[i] = make([]float32, columns)
		for j := range vectors[i] {
			vectors[i][j] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*(i*columns+j):]))
		}
	}
	return vectors
}
