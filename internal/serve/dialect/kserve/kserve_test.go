package kserve_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
)

// TestJSONTensors reads a request as the protocol's document shows it: nested or
// flat data, in row-major order.
func TestJSONTensors(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`[[1,2,3],[4,5,-6]]`, `[1,2,3,4,5,-6]`} {
		r, err := kserve.DecodeHTTP("m", "", "", []byte(`{"id":"42","parameters":{"priority":2,"timeout":1500,"unknown":[]},"extra":{},
			"inputs":[{"name":"input_ids","datatype":"INT32","shape":[2,3],"data":`+data+`}],
			"outputs":[{"name":"embeddings"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		ids, err := tensor.Ints(tensor.Int32, r.Inputs[0].Data)
		if err != nil || !reflect.DeepEqual(ids, []int64{1, 2, 3, 4, 5, -6}) {
			t.Errorf("%s: %v, %v", data, ids, err)
		}
		if r.ID != "42" || r.Priority != 2 || r.Timeout.Microseconds() != 1500 || !reflect.DeepEqual(r.Outputs, []kserve.Output{{Name: "embeddings"}}) {
			t.Errorf("%+v", r)
		}
		if !r.Wants("embeddings") || r.Wants("other") {
			t.Error("the outputs asked for are not those wanted")
		}
	}
}

func TestEveryDatatypeInJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		datatype, data string
		want           []byte
	}{
		{"BOOL", `[true,false]`, []byte{1, 0}},
		{"UINT8", `[255,0]`, []byte{255, 0}},
		{"INT8", `[-1,127]`, []byte{255, 127}},
		{"UINT16", `[513,0]`, []byte{1, 2, 0, 0}},
		{"INT16", `[-2,1]`, []byte{254, 255, 1, 0}},
		{"UINT32", `[4294967295,1]`, []byte{255, 255, 255, 255, 1, 0, 0, 0}},
		{"INT64", `[-1,1]`, []byte{255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0}},
		{"UINT64", `[18446744073709551615,1]`, []byte{255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0}},
		{"FP32", `[1.5,-2]`, []byte{0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0}},
		{"FP64", `[1.5,0]`, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"BYTES", `["é",""]`, []byte{2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0}},
	} {
		r, err := kserve.DecodeHTTP("m", "", "", []byte(`{"inputs":[{"name":"x","datatype":"`+c.datatype+`","shape":[2],"data":`+c.data+`}]}`))
		if err != nil || !bytes.Equal(r.Inputs[0].Data, c.want) {
			t.Errorf("%s: %v %v", c.datatype, r, err)
		}
	}
}

// framed puts raw tensors behind JSON, as the binary extension says.
func framed(header string, raw ...string) (length string, body []byte) {
	return strconv.Itoa(len(header)), []byte(header + strings.Join(raw, ""))
}

func TestBinaryTensors(t *testing.T) {
	t.Parallel()
	length, body := framed(`{"inputs":[
		{"name":"texts","datatype":"BYTES","shape":[2,1],"parameters":{"binary_data_size":10}},
		{"name":"n","datatype":"INT32","shape":[1],"data":[7]},
		{"name":"mask","datatype":"INT32","shape":[1],"parameters":{"binary_data_size":4}}],
		"parameters":{"binary_data_output":true},"outputs":[{"name":"a"},{"name":"b","parameters":{"binary_data":false}}]}`,
		"\x02\x00\x00\x00ab\x00\x00\x00\x00", "\x01\x00\x00\x00")
	r, err := kserve.DecodeHTTP("m", "1", length, body)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := tensor.Strings(r.Inputs[0].Data, 2)
	if err != nil || !reflect.DeepEqual(texts, []string{"ab", ""}) || string(r.Inputs[2].Data) != "\x01\x00\x00\x00" {
		t.Errorf("%q %v, % x", texts, err, r.Inputs[2].Data)
	}
	if want := []kserve.Output{{"a", true}, {"b", false}}; !reflect.DeepEqual(r.Outputs, want) {
		t.Errorf("outputs %v", r.Outputs)
	}
	raw, err := kserve.DecodeHTTP("m", "", "0", []byte("a text"))
	if err != nil || string(raw.Raw) != "a text" || !raw.BinaryOutput {
		t.Errorf("raw: %+v, %v", raw, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	input := func(fields string) string { return `{"inputs":[{"name":"x",` + fields + `}]}` }
	for _, c := range []struct {
		name, length, body, says string
		kind                     dialect.Kind
	}{
		{"no JSON", "", `{"inputs":`, "failed to parse the request JSON buffer", dialect.Value},
		{"a list", "", `[1]`, "no object", dialect.Value},
		{"no inputs", "", `{}`, "'inputs'", dialect.Value},
		{"inputs no list", "", `{"inputs":3}`, "'inputs'", dialect.Value},
		{"inputs of numbers", "", `{"inputs":[1]}`, "'inputs'", dialect.Value},
		{"no name", "", `{"inputs":[{"datatype":"INT32"}]}`, "'name'", dialect.Value},
		{"unknown datatype", "", input(`"datatype":"INT31","shape":[1],"data":[1]`), "INT31", dialect.Value},
		{"no shape", "", input(`"datatype":"INT32","data":[1]`), "'shape'", dialect.Value},
		{"negative shape", "", input(`"datatype":"INT32","shape":[-1],"data":[1]`), "negative dimension", dialect.Value},
		{"huge shape", "", input(`"datatype":"INT32","shape":[9223372036854775807,9],"data":[1]`), "than can be counted", dialect.Value},
		{"rank", "", input(`"datatype":"INT32","shape":[` + strings.Repeat("1,", 40) + `1],"data":[1]`), "'shape'", dialect.Value},
		{"more data than shape", "", input(`"datatype":"INT32","shape":[1],"data":[1,2]`), "does not match true shape", dialect.Value},
		{"less data than shape", "", input(`"datatype":"INT32","shape":[9000000000],"data":[1]`), "does not match true shape", dialect.Value},
		{"no data", "", input(`"datatype":"INT32","shape":[1]`), "'data'", dialect.Value},
		{"fraction as integer", "", input(`"datatype":"INT32","shape":[1],"data":[1.5]`), "element 0 is not of INT32", dialect.Value},
		{"integer too large", "", input(`"datatype":"INT32","shape":[1],"data":[2147483648]`), "element 0", dialect.Value},
		{"text as integer", "", input(`"datatype":"INT32","shape":[1],"data":["1"]`), "element 0", dialect.Value},
		{"number as text", "", input(`"datatype":"BYTES","shape":[1],"data":[1]`), "element 0", dialect.Value},
		{"FP16", "", input(`"datatype":"FP16","shape":[1],"data":[1]`), "FP16 data via JSON is not supported", dialect.Value},
		{"binary without header", "", input(`"datatype":"INT32","shape":[1],"parameters":{"binary_data_size":4}`), "Infer-Header-Content-Length", dialect.Value},
		{"shared memory", "", input(`"datatype":"INT32","shape":[1],"parameters":{"shared_memory_region":"r"}`), "Unable to find shared memory region: 'r'", dialect.NoModel},
		{"classification", "", `{"inputs":[],"outputs":[{"name":"e","parameters":{"classification":3}}]}`, "classification", dialect.Unsupported},
		{"reserved parameter", "", `{"inputs":[],"parameters":{"triton_x":1}}`, "reserved for Triton", dialect.Value},
		{"priority", "", `{"inputs":[],"parameters":{"priority":-1}}`, "'priority'", dialect.Value},
		{"id", "", `{"id":3,"inputs":[]}`, "'id'", dialect.Value},
		{"header length no number", "x", `{}`, "Unable to parse Inference-Header-Content-Length, got: x", dialect.Value},
		{"header length too large", "999", `{}`, "should be in range", dialect.Value},
		{"header length negative", "-1", `{}`, "should be in range", dialect.Value},
	} {
		_, err := kserve.DecodeHTTP("m", "", c.length, []byte(c.body))
		var e *dialect.Error
		if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for name, header := range map[string]string{
		"size beyond the body": `{"inputs":[{"name":"x","datatype":"INT32","shape":[1],"parameters":{"binary_data_size":5}}]}`,
		"size beyond int64":    `{"inputs":[{"name":"x","datatype":"INT32","shape":[1],"parameters":{"binary_data_size":18446744073709551615}}]}`,
		"data nobody asks for": `{"inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":[1]}]}`,
	} {
		length, body := framed(header, "abcd")
		if _, err := kserve.DecodeHTTP("m", "", length, body); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestAnswerInBothForms(t *testing.T) {
	t.Parallel()
	answer := &kserve.Response{Model: "m", Version: "3", ID: "q\"", Outputs: []tensor.Tensor{
		{Name: "v", Datatype: tensor.FP32, Shape: []int64{1, 2}, Data: tensor.AppendFloats(nil, []float32{0.5, -1})},
		{Name: "ids", Datatype: tensor.Int32, Shape: []int64{2}, Data: []byte{1, 0, 0, 0, 255, 255, 255, 255}},
		{Name: "s", Datatype: tensor.Bytes, Shape: []int64{1}, Data: tensor.StringsData([]string{"é\""})},
	}}
	body, err := kserve.EncodeHTTP(&kserve.Request{}, answer)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"q\"","model_name":"m","model_version":"3","outputs":[
		{"name":"v","datatype":"FP32","shape":[1,2],"data":[0.5,-1]},
		{"name":"ids","datatype":"INT32","shape":[2],"data":[1,-1]},
		{"name":"s","datatype":"BYTES","shape":[1],"data":["é\""]}]}`
	expect(t, body.JSON, want)
	body, err = kserve.EncodeHTTP(&kserve.Request{BinaryOutput: true, Outputs: []kserve.Output{{"v", true}, {"ids", false}, {"s", true}}}, answer)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, body.JSON, `{"id":"q\"","model_name":"m","model_version":"3","outputs":[
		{"name":"v","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}},
		{"name":"ids","datatype":"INT32","shape":[2],"data":[1,-1]},
		{"name":"s","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":7}}]}`)
	if got := bytes.Join(body.Raw, nil); string(got) != "\x00\x00\x00\x3f\x00\x00\x80\xbf\x03\x00\x00\x00é\"" || body.Len() != len(body.JSON)+15 {
		t.Errorf("raw % x", got)
	}
}

func expect(t *testing.T, got []byte, want string) {
	t.Helper()
	var g, w any
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal([]byte(want), &w)); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestGRPCRawAndTyped(t *testing.T) {
	t.Parallel()
	raw := &pb.ModelInferRequest{
		ModelName: "m", ModelVersion: "1", Id: "i",
		Parameters: map[string]*pb.InferParameter{
			"priority": {ParameterChoice: &pb.InferParameter_Uint64Param{Uint64Param: 1}},
			"timeout":  {ParameterChoice: &pb.InferParameter_Int64Param{Int64Param: 7}},
			"other":    {ParameterChoice: &pb.InferParameter_StringParam{StringParam: "x"}},
		},
		Inputs:           []*pb.ModelInferRequest_InferInputTensor{{Name: "x", Datatype: "INT16", Shape: []int64{2}}},
		Outputs:          []*pb.ModelInferRequest_InferRequestedOutputTensor{{Name: "o"}},
		RawInputContents: [][]byte{{1, 0, 254, 255}},
	}
	typed := &pb.ModelInferRequest{
		ModelName: "m", ModelVersion: "1", Id: "i", Parameters: raw.Parameters, Outputs: raw.Outputs,
		Inputs: []*pb.ModelInferRequest_InferInputTensor{{Name: "x", Datatype: "INT16", Shape: []int64{2},
			Contents: &pb.InferTensorContents{IntContents: []int32{1, -2}}}},
	}
	a, err := kserve.DecodeGRPC(raw)
	if err != nil {
		t.Fatal(err)
	}
	b, err := kserve.DecodeGRPC(typed)
	if err != nil || !reflect.DeepEqual(a, b) {
		t.Errorf("raw %+v\ntyped %+v, %v", a, b, err)
	}
	if a.Priority != 1 || a.Timeout.Microseconds() != 7 {
		t.Errorf("%+v", a)
	}
	raw.Inputs[0].Contents = typed.Inputs[0].Contents
	if _, err := kserve.DecodeGRPC(raw); err == nil || !strings.Contains(err.Error(), "contents field must not be specified") {
		t.Errorf("both forms: %v", err)
	}
	typed.Inputs[0].Contents.IntContents[0] = 40000
	if _, err := kserve.DecodeGRPC(typed); err == nil {
		t.Error("40000 was taken for an INT16")
	}
	typed.Inputs[0].Contents.IntContents = []int32{1}
	if _, err := kserve.DecodeGRPC(typed); err == nil {
		t.Error("one element was taken for two")
	}
}

func TestStatusAndCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind   dialect.Kind
		status int
		code   codes.Code
	}{
		{dialect.Value, 400, codes.InvalidArgument}, {dialect.NoModel, 404, codes.NotFound}, {dialect.Internal, 500, codes.Internal},
		{dialect.Unsupported, 501, codes.Unimplemented}, {dialect.Unavailable, 503, codes.Unavailable}, {dialect.Overloaded, 503, codes.Unavailable},
		{dialect.TooLong, 400, codes.InvalidArgument}, {dialect.Timeout, 408, codes.DeadlineExceeded}, {dialect.TooLarge, 413, codes.ResourceExhausted},
	} {
		if s, g := kserve.Status(c.kind), kserve.Code(c.kind); s != c.status || g != c.code {
			t.Errorf("%v: %d, %v", c.kind, s, g)
		}
	}
}

// FuzzDecodeHTTP feeds any body with any header length: it is refused with a
// message, or it is a request whose answer can be written.
func FuzzDecodeHTTP(f *testing.F) {
	length, body := framed(`{"inputs":[{"name":"texts","datatype":"BYTES","shape":[2,1],"parameters":{"binary_data_size":10}}]}`, "\x02\x00\x00\x00ab\x00\x00\x00\x00")
	f.Add(length, body)
	f.Add("", []byte(`{"id":"1","inputs":[{"name":"input_ids","datatype":"INT32","shape":[2,3],"data":[[1,2,3],[4,5,6]]}],"outputs":[{"name":"e"}]}`))
	f.Add("0", []byte("text"))
	f.Add("", []byte(`{"inputs":[{"name":"x","datatype":"FP32","shape":[1000000000],"data":[1]}]}`))
	f.Fuzz(func(t *testing.T, length string, body []byte) {
		r, err := kserve.DecodeHTTP("m", "", length, body)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("a refusal without a message")
			}
			return
		}
		if r.Raw == nil && len(r.Inputs) > len(body) {
			t.Fatalf("%d inputs of %d bytes", len(r.Inputs), len(body))
		}
		answer, err := kserve.EncodeHTTP(r, &kserve.Response{Model: "m", ID: r.ID, Outputs: []tensor.Tensor{{Name: "v", Datatype: tensor.FP32, Shape: []int64{1}, Data: make([]byte, 4)}}})
		if err != nil || !json.Valid(answer.JSON) {
			t.Fatalf("%v: %s", err, answer.JSON)
		}
	})
}
