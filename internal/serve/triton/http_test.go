package triton_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paceline/paceline/internal/kserve/tensor"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
)

// embed is a text's vector straight from pipeline and engine.
func (f *fixture) embed(t testing.TB, text string) []float32 {
	t.Helper()
	p, err := f.model.Pipeline.Prepare(pipeline.Input{Text: text}, pipeline.PrepareOptions{Truncate: true})
	if err != nil {
		t.Fatal(err)
	}
	var b model.Batch
	v := make([]float32, f.model.Spec.Dim())
	b.Append(p.IDs, p.Types, p.Skip, model.Output{Vector: v})
	if err := f.model.Engine.Run(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	v, err = f.model.Pipeline.Finish(v, pipeline.FinishOptions{Normalize: f.model.Pipeline.Normalizes()})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// answer is the JSON of an infer answer.
type answer struct {
	ID      string
	Error   string
	Model   string `json:"model_name"`
	Version string `json:"model_version"`
	Outputs []struct {
		Name, Datatype string
		Shape          []int64
		Data           []float64
		Parameters     map[string]int
	}
}

func decode[T any](t testing.TB, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return v
}

var texts = []string{"a short text", "", "a text that is a good deal longer than the others are", "é ü 中文"}

// TestEnsembleInEveryForm asks for the same vectors in JSON, in binary tensors
// and with raw tensors in and JSON out: they are the engine's, bit for bit.
func TestEnsembleInEveryForm(t *testing.T) {
	t.Parallel()
	f := preset(t)
	want := make([][]float32, len(texts))
	for i, text := range texts {
		want[i] = f.embed(t, text)
	}
	list, _ := json.Marshal(texts)
	inJSON := fmt.Sprintf(`{"id":"7","inputs":[{"name":"texts","datatype":"BYTES","shape":[%d,1],"data":%s}]`, len(texts), list)
	raw := tensor.StringsData(texts)
	inBinary := fmt.Sprintf(`{"inputs":[{"name":"texts","datatype":"BYTES","shape":[%d,1],"parameters":{"binary_data_size":%d}}]`, len(texts), len(raw))
	for _, c := range []struct {
		name, header string
		raw          []byte
		binary       bool
	}{
		{"JSON both ways", inJSON + "}", nil, false},
		{"JSON in, binary out", inJSON + `,"outputs":[{"name":"embeddings","parameters":{"binary_data":true}}]}`, nil, true},
		{"binary in, JSON out", inBinary + "}", raw, false},
		{"binary both ways", inBinary + `,"parameters":{"binary_data_output":true}}`, raw, true},
	} {
		var header []string
		if c.raw != nil {
			header = []string{tensor.HeaderLength, strconv.Itoa(len(c.header))}
		}
		w := f.do("POST", "/v2/models/embedding_pipeline/infer", append([]byte(c.header), c.raw...), header...)
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", c.name, w.Code, w.Body)
		}
		body, rest := w.Body.Bytes(), []byte(nil)
		if c.binary {
			n, err := strconv.Atoi(w.Header().Get(tensor.HeaderLength))
			if err != nil || w.Header().Get("Content-Type") != "application/octet-stream" {
				t.Fatalf("%s: %v %v", c.name, w.Header(), err)
			}
			body, rest = body[:n], body[n:]
		}
		got := decode[answer](t, body)
		if got.Model != "embedding_pipeline" || got.Version != "1" || len(got.Outputs) != 1 ||
			!reflect.DeepEqual(got.Outputs[0].Shape, []int64{int64(len(texts)), int64(len(want[0]))}) {
			t.Fatalf("%s: %+v", c.name, got)
		}
		for i := range want {
			for k, x := range want[i] {
				at := i*len(want[i]) + k
				var y float32
				if c.binary {
					y = math.Float32frombits(binary.LittleEndian.Uint32(rest[4*at:]))
				} else {
					y = float32(got.Outputs[0].Data[at])
				}
				if math.Float32bits(x) != math.Float32bits(y) {
					t.Fatalf("%s: text %d value %d is %v, want %v", c.name, i, k, y, x)
				}
			}
		}
	}
}

// TestTokenizerAndEncoderApart runs the steps by hand: padded ids out, and the
// same ids in give the vector that the text alone gives.
func TestTokenizerAndEncoderApart(t *testing.T) {
	t.Parallel()
	f := preset(t)
	tokens, err := f.Infer(t.Context(), &kserve.Request{Model: "tokenizer", Inputs: []tensor.Tensor{
		{Name: "texts", Datatype: tensor.Bytes, Shape: []int64{int64(len(texts)), 1}, Data: tensor.StringsData(texts)}}})
	if err != nil {
		t.Fatal(err)
	}
	ids, mask := tokens.Outputs[0], tokens.Outputs[1]
	if ids.Name != "input_ids" || mask.Name != "attention_mask" || !reflect.DeepEqual(ids.Shape, mask.Shape) {
		t.Fatalf("%+v", tokens)
	}
	vectors, err := f.Infer(t.Context(), &kserve.Request{Model: "sentence_transformer", Inputs: []tensor.Tensor{mask, ids}})
	if err != nil {
		t.Fatal(err)
	}
	f.holdVectors(t, vectors.Outputs[0].Data)
}

func TestInputChecks(t *testing.T) {
	t.Parallel()
	f := preset(t)
	tokens := func(ids, mask string) string {
		return `{"id":"q1","inputs":[{"name":"input_ids",` + ids + `},{"name":"attention_mask",` + mask + `}]}`
	}
	good := `"datatype":"INT32","shape":[1,3],"data":[2,5,3]`
	ones := `"datatype":"INT32","shape":[1,3],"data":[1,1,1]`
	for _, c := range []struct {
		name, path, body string
		status           int
		says             string
	}{
		{"good", "sentence_transformer", tokens(good, ones), 200, ""},
		{"left padding", "sentence_transformer", tokens(good, `"datatype":"INT32","shape":[1,3],"data":[0,1,1]`), 200, ""},
		{"dtype", "sentence_transformer", tokens(strings.Replace(good, "INT32", "INT64", 1), ones), 400, "[request id: q1] inference input 'input_ids' data-type is 'INT64', but model 'sentence_transformer' expects 'INT32'"},
		{"rank", "sentence_transformer", tokens(strings.Replace(good, "[1,3]", "[1,3,1]", 1), ones), 400, "unexpected shape for input 'input_ids' for model 'sentence_transformer'. Expected [-1,-1], got [1,3,1]"},
		{"fixed dim", "embedding_pipeline", `{"inputs":[{"name":"texts","datatype":"BYTES","shape":[1,2],"data":["a","b"]}]}`, 400, "Expected [-1,1], got [1,2]"},
		{"no batch dim", "embedding_pipeline", `{"inputs":[{"name":"texts","datatype":"BYTES","shape":[],"data":["a"]}]}`, 400, "has no shape but model requires batch dimension"},
		{"batch sizes differ", "sentence_transformer", tokens(good, `"datatype":"INT32","shape":[2,3],"data":[1,1,1,1,1,1]`), 400, "batch size does not match"},
		{"mask of other shape", "sentence_transformer", tokens(good, `"datatype":"INT32","shape":[1,2],"data":[1,1]`), 400, "they must be the same"},
		{"missing input", "sentence_transformer", `{"inputs":[{"name":"input_ids",` + good + `}]}`, 400, "expected 2 inputs but got 1 inputs for model 'sentence_transformer'. Got input(s) ['input_ids'], but missing required input(s) ['attention_mask']"},
		{"unknown input", "embedding_pipeline", `{"inputs":[{"name":"x","datatype":"BYTES","shape":[1,1],"data":["a"]}]}`, 400, "unexpected inference input 'x' for model 'embedding_pipeline'"},
		{"twice", "sentence_transformer", tokens(good, ones)[:len(tokens(good, ones))-2] + `,{"name":"input_ids",` + good + `}]}`, 400, "already exists"},
		{"unknown output", "embedding_pipeline", `{"inputs":[],"outputs":[{"name":"y"}]}`, 400, "unexpected inference output 'y' for model 'embedding_pipeline'"},
		{"batch too large", "embedding_pipeline", `{"inputs":[{"name":"texts","datatype":"BYTES","shape":[129,1],"data":[` + strings.Repeat(`"a",`, 128) + `"a"]}]}`, 400, "batch-size must be <= 128"},
		{"batch of none", "embedding_pipeline", `{"inputs":[{"name":"texts","datatype":"BYTES","shape":[0,1],"data":[]}]}`, 400, "batch-size must be >= 1"},
		{"no tokens", "sentence_transformer", tokens(`"datatype":"INT32","shape":[1,0],"data":[]`, `"datatype":"INT32","shape":[1,0],"data":[]`), 400, "there are no tokens"},
		{"id outside", "sentence_transformer", tokens(strings.Replace(good, "5", "99999999", 1), ones), 400, "row 0 of 'input_ids'"},
		{"negative id", "sentence_transformer", tokens(strings.Replace(good, "5", "-5", 1), ones), 400, "token id -5 at index 1"},
		{"mask of 2", "sentence_transformer", tokens(good, strings.Replace(ones, "[1,1,1]", "[1,2,1]", 1)), 400, "has 2 at index 1: a mask is 0 or 1"},
		{"mask of 0", "sentence_transformer", tokens(good, strings.Replace(ones, "[1,1,1]", "[0,0,0]", 1)), 400, "is all 0"},
		{"mask with a gap", "sentence_transformer", tokens(good, strings.Replace(ones, "[1,1,1]", "[1,0,1]", 1)), 400, "gap before index 2"},
		{"unknown model", "nobody", `{"inputs":[]}`, 404, "Request for unknown model: 'nobody' is not found"},
		{"unknown version", "tokenizer/versions/9", `{"inputs":[]}`, 404, "Request for unknown model: 'tokenizer' version 9 is not found"},
		{"version 0", "tokenizer/versions/0", `{"inputs":[]}`, 404, "Request for unknown model: 'tokenizer' version 0 is not found"},
		{"version no number", "tokenizer/versions/x", `{"inputs":[]}`, 404, "Not Found"},
		{"version too large", "tokenizer/versions/99999999999999999999", `{"inputs":[]}`, 400, "version should be an integral value > 0"},
		{"data in two places", "tokenizer", `{"inputs":[{"name":"texts","datatype":"BYTES","shape":[1,1],"data":["a"],"parameters":{"binary_data_size":5}}]}`, 400, "But set 'data' 'binary_data_size'"},
		{"classification", "embedding_pipeline", `{"inputs":[],"outputs":[{"name":"embeddings","parameters":{"classification":1}}]}`, 501, "classification"},
	} {
		w := f.do("POST", "/v2/models/"+c.path+"/infer", []byte(c.body))
		if got := decode[answer](t, w.Body.Bytes()); w.Code != c.status || !strings.Contains(got.Error, c.says) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	lying := []byte(`{"inputs":[{"name":"texts","datatype":"BYTES","shape":[1,1],"parameters":{"binary_data_size":6}}]}`)
	w := f.do("POST", "/v2/models/embedding_pipeline/infer", append(lying, 9, 0, 0, 0, 'a', 'b'), tensor.HeaderLength, strconv.Itoa(len(lying)))
	if w.Code != 400 || !strings.Contains(w.Body.String(), "says it has 9 bytes but only 2") {
		t.Errorf("BYTES that lie: %d %s", w.Code, w.Body)
	}
}

func TestRawBodyIsTheOnlyInput(t *testing.T) {
	t.Parallel()
	f := preset(t)
	w := f.do("POST", "/v2/models/embedding_pipeline/infer", []byte("a short text"), tensor.HeaderLength, "0")
	if n, err := strconv.Atoi(w.Header().Get(tensor.HeaderLength)); w.Code != 200 || err != nil || w.Body.Len()-n != 4*len(f.embed(t, "a short text")) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := f.do("POST", "/v2/models/sentence_transformer/infer", []byte("x"), tensor.HeaderLength, "0"); w.Code != 400 {
		t.Errorf("two inputs of one raw body: %d", w.Code)
	}
}

func TestDescriptions(t *testing.T) {
	t.Parallel()
	f := preset(t)
	dim := len(f.embed(t, "x"))
	for path, want := range map[string]string{
		"/v2": `{"name":"triton","version":"1.2.3"`,
		"/v2/models/sentence_transformer": fmt.Sprintf(`{"name":"sentence_transformer","versions":["1"],"platform":"paceline",`+
			`"inputs":[{"name":"input_ids","datatype":"INT32","shape":[-1,-1]},{"name":"attention_mask","datatype":"INT32","shape":[-1,-1]}],`+
			`"outputs":[{"name":"embeddings","datatype":"FP32","shape":[-1,%d]}]}`, dim),
		"/v2/models/embedding_pipeline/versions/1":          `"platform":"ensemble"`,
		"/v2/models/sentence_transformer/config":            `"dynamic_batching":{"preferred_batch_size":[16,32,64,128],"max_queue_delay_microseconds":50000,"preserve_ordering":false`,
		"/v2/models/sentence_transformer/stats":             `"inference_count":0`,
		"/v2/models/stats":                                  `"name":"tokenizer"`,
		"/v2/trace/setting":                                 `"trace_level":["OFF"]`,
		"/v2/models/tokenizer/trace/setting":                `"trace_rate":"1000"`,
		"/v2/logging":                                       `"log_info":true`,
		"/v2/systemsharedmemory/status":                     `[]`,
		"/v2/models/sentence_transformer/versions/1/config": `"kind":"KIND_CPU"`,
	} {
		w := f.do("GET", path, nil)
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for path, status := range map[string]int{
		"GET /v2/health/live": 200, "GET /v2/health/ready": 200, "GET /v2/models/tokenizer/ready": 200, "GET /v2/models/tokenizer/versions/1/ready": 200,
		"GET /v2/models/nobody/ready": 400, "GET /v2/models/nobody": 404, "GET /v2/models/nobody/stats": 400, "GET /v2/models/tokenizer/versions/9/stats": 400, "GET /v2/models/tokenizer/versions/x": 404, "GET /v2/models/nobody/config": 404,
		"GET /v2/nothing": 404, "POST /v2": 405, "GET /v2/models/tokenizer/infer": 405, "DELETE /v2": 405,
		"POST /v2/systemsharedmemory/region/r/register": 501, "POST /v2/systemsharedmemory/unregister": 200, "GET /v2/cudasharedmemory/region/r/status": 404,
	} {
		method, target, _ := strings.Cut(path, " ")
		if w := f.do(method, target, nil); w.Code != status {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := f.do("GET", "/v2/models/nobody/ready", nil); w.Body.String() != `{"error":"Model version not ready"}` {
		t.Errorf("%s", w.Body)
	}
}

func TestStatisticsCountRequestsRowsAndBatches(t *testing.T) {
	t.Parallel()
	f := preset(t)
	for range 3 {
		if _, err := f.Infer(t.Context(), &kserve.Request{Model: "embedding_pipeline", Inputs: []tensor.Tensor{
			{Name: "texts", Datatype: tensor.Bytes, Shape: []int64{16, 1}, Data: tensor.StringsData(make([]string, 16))}}}); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Infer(ended, &kserve.Request{Model: "sentence_transformer", Inputs: []tensor.Tensor{
		{Name: "input_ids", Datatype: tensor.Int32, Shape: []int64{1, 1}, Data: make([]byte, 4)},
		{Name: "attention_mask", Datatype: tensor.Int32, Shape: []int64{1, 1}, Data: []byte{1, 0, 0, 0}}}}); err == nil {
		t.Error("a request whose context had ended was computed")
	}
	for _, name := range []string{"embedding_pipeline", "tokenizer", "sentence_transformer"} {
		list, err := f.Statistics(name, "")
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		s := list[0]
		if s.InferenceCount != 48 || s.InferenceStats.Success.Count != 3 || s.InferenceStats.ComputeInfer.Count != 3 || s.LastInference == 0 {
			t.Errorf("%s: %v", name, s)
		}
		parts := s.InferenceStats.Queue.Ns + s.InferenceStats.ComputeInput.Ns + s.InferenceStats.ComputeInfer.Ns + s.InferenceStats.ComputeOutput.Ns
		if parts > s.InferenceStats.Success.Ns || parts == 0 {
			t.Errorf("%s: the parts take %d ns of %d", name, parts, s.InferenceStats.Success.Ns)
		}
		if s.ExecutionCount != 3 {
			t.Errorf("%s: %d executions", name, s.ExecutionCount)
		}
		if len(s.BatchStats) != 1 || s.BatchStats[0].BatchSize != 16 || s.BatchStats[0].ComputeInfer.Count != 3 {
			t.Errorf("%s: %v", name, s.BatchStats)
		}
		if b := s.BatchStats[0]; b.ComputeInput.Ns != s.InferenceStats.ComputeInput.Ns || b.ComputeOutput.Ns != s.InferenceStats.ComputeOutput.Ns {
			t.Errorf("%s: all batches had 16 rows, so they took what the requests took: %v", name, s)
		}
	}
	if list, _ := f.Statistics("sentence_transformer", "1"); list[0].InferenceStats.Fail.Count != 1 {
		t.Errorf("%v", list)
	}
}

// TestFailuresAreCountedByWhoseTheyAre: what is wrong with a request is no fault
// of the model's.
func TestFailuresAreCountedByWhoseTheyAre(t *testing.T) {
	t.Parallel()
	f := preset(t)
	ids := func(row string) []byte {
		shape := fmt.Sprintf("[1,%d]", 1+strings.Count(row, ","))
		return []byte(`{"inputs":[{"name":"input_ids","datatype":"INT32","shape":` + shape + `,"data":[` + row + `]},
			{"name":"attention_mask","datatype":"INT32","shape":` + shape + `,"data":[` + regexp.MustCompile(`\d+`).ReplaceAllString(row, "1") + `]}]}`)
	}
	for name, row := range map[string]string{"beyond the vocabulary": "1000000", "too long": "1" + strings.Repeat(",1", 600)} {
		if w := f.do("POST", "/v2/models/sentence_transformer/infer", ids(row)); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	metrics := prometheus.NewPedanticRegistry()
	metrics.MustRegister(f.Server)
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if labels := m.GetLabel(); family.GetName() == "nv_inference_request_failure" && labels[0].GetValue() == "sentence_transformer" {
				counted[labels[1].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	if want := map[string]float64{"OTHER": 2, "BACKEND": 0, "CANCELED": 0, "REJECTED": 0}; !maps.Equal(counted, want) {
		t.Errorf("%v, want %v", counted, want)
	}
}

// TestModelsWithoutBatchDimension serves configs with max_batch_size 0, whose
// shapes are as they stand, token types and 64-bit ids.
func TestModelsWithoutBatchDimension(t *testing.T) {
	t.Parallel()
	f := newFixture(t, options(t))
	f.start(t, map[string]string{
		"flat/config.pbtxt": `backend: "paceline" input { name: "t" data_type: TYPE_STRING dims: -1 } output { name: "v" data_type: TYPE_FP32 dims: [-1, -1] }
			parameters { key: "model" value { string_value: "tiny" } }`, "flat/1/": "",
		"ids/config.pbtxt": `backend: "paceline" input [ { name: "input_ids" data_type: TYPE_INT64 dims: [-1, -1] },
			{ name: "token_type_ids" data_type: TYPE_INT64 dims: [-1, -1] optional: true } ]
			output { name: "v" data_type: TYPE_FP32 dims: [-1, -1] } parameters { key: "model" value { string_value: "tiny" } }`, "ids/1/": "",
	})
	w := f.do("POST", "/v2/models/flat/infer", []byte(`{"inputs":[{"name":"t","datatype":"BYTES","shape":[3],"data":["a","b","c"]}]}`))
	if got := decode[answer](t, w.Body.Bytes()); w.Code != 200 || got.Outputs[0].Shape[0] != 3 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	vector := func(types string) []float64 {
		body := `{"inputs":[{"name":"input_ids","datatype":"INT64","shape":[1,4],"data":[2,5,6,3]}`
		if types != "" {
			body += `,{"name":"token_type_ids","datatype":"INT64","shape":[1,4],"data":` + types + `}`
		}
		w := f.do("POST", "/v2/models/ids/infer", []byte(body+"]}"))
		if w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return decode[answer](t, w.Body.Bytes()).Outputs[0].Data
	}
	none, zero, some := vector(""), vector("[0,0,0,0]"), vector("[0,0,1,1]")
	if !reflect.DeepEqual(none, zero) || reflect.DeepEqual(none, some) {
		t.Error("token types do not reach the engine")
	}
}

// FuzzHTTP sends what strangers may to every path that takes a body. Whatever it
// is, the answer is whole, and no fault of the server's.
func FuzzHTTP(f *testing.F) {
	s := preset(f)
	paths := []string{
		"/v2/models/embedding_pipeline/infer", "/v2/models/sentence_transformer/infer", "/v2/models/tokenizer/versions/1/infer",
		"/v2/repository/index", "/v2/repository/models/tokenizer/unload", "/v2/trace/setting", "/v2/models/tokenizer/trace/setting", "/v2/logging",
		"/v2/systemsharedmemory/region/r/register",
	}
	text := `{"inputs":[{"name":"texts","datatype":"BYTES","shape":[1,1],"parameters":{"binary_data_size":5}}],"outputs":[{"name":"embeddings","parameters":{"binary_data":true}}]}`
	f.Add(uint8(0), strconv.Itoa(len(text)), []byte(text+"\x01\x00\x00\x00a"))
	f.Add(uint8(0), "0", []byte("a text"))
	f.Add(uint8(1), "", []byte(`{"inputs":[{"name":"input_ids","datatype":"INT32","shape":[1,3],"data":[2,5,3]},{"name":"attention_mask","datatype":"INT32","shape":[1,3],"data":[1,1,1]}]}`))
	f.Add(uint8(2), "", []byte(`{"id":"q","inputs":[{"name":"texts","datatype":"BYTES","shape":[2,1],"data":[["a"],["b"]]}],"parameters":{"priority":1,"timeout":5}}`))
	f.Add(uint8(3), "", []byte(`{"ready":true}`))
	f.Add(uint8(4), "", []byte(`{"parameters":{"unload_dependents":true}}`))
	f.Add(uint8(5), "", []byte(`{"trace_rate":"5","trace_level":["OFF"],"trace_count":null}`))
	f.Add(uint8(7), "", []byte(`{"log_info":false,"log_verbose_level":1,"log_format":"ISO8601"}`))
	f.Fuzz(func(t *testing.T, path uint8, length string, body []byte) {
		w := s.do("POST", paths[int(path)%len(paths)], body, tensor.HeaderLength, length)
		if w.Code == http.StatusInternalServerError || w.Code != http.StatusOK && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %s", paths[int(path)%len(paths)], w.Code, w.Body)
		}
	})
}
