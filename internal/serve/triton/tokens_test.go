package triton_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/paceline/paceline/internal/kserve/tensor"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
	"github.com/paceline/paceline/internal/serve/triton"
)

// tokensAndVectors is an ensemble that gives its clients the tokens too, of a
// tokenizer with token types, and lies in another one.
var tokensAndVectors = map[string]string{
	"tokenizer/1/": "", "encoder/1/": "", "inner/1/": "", "outer/1/": "",
	"tokenizer/config.pbtxt": `backend: "paceline" max_batch_size: 8
		input { name: "texts" data_type: TYPE_STRING dims: [ 1 ] }
		output { name: "type_ids" data_type: TYPE_INT32 dims: [ -1 ] }
		output { name: "ids" data_type: TYPE_INT64 dims: [ -1 ] }
		output { name: "mask" data_type: TYPE_INT64 dims: [ -1 ] }
		parameters { key: "model" value { string_value: "tiny" } }`,
	"encoder/config.pbtxt": `backend: "paceline" max_batch_size: 8
		input { name: "ids" data_type: TYPE_INT64 dims: [ -1 ] }
		input { name: "mask" data_type: TYPE_INT64 dims: [ -1 ] }
		input { name: "type_ids" data_type: TYPE_INT32 dims: [ -1 ] }
		output { name: "vectors" data_type: TYPE_FP32 dims: [ -1 ] }
		parameters { key: "model" value { string_value: "encoder's" } }`,
	"inner/config.pbtxt": ensembleOf(`
		step { model_name: "tokenizer" model_version: -1 input_map { key: "texts" value: "texts" }
			output_map { key: "ids" value: "ids" } output_map { key: "mask" value: "mask" } output_map { key: "type_ids" value: "types" } }
		step { model_name: "encoder" model_version: -1 input_map { key: "ids" value: "ids" } input_map { key: "mask" value: "mask" }
			input_map { key: "type_ids" value: "types" } output_map { key: "vectors" value: "vectors" } }`),
	"outer/config.pbtxt": ensembleOf(`
		step { model_name: "inner" model_version: -1 input_map { key: "texts" value: "texts" }
			output_map { key: "ids" value: "ids" } output_map { key: "mask" value: "mask" } output_map { key: "vectors" value: "vectors" } }`),
}

func ensembleOf(steps string) string {
	return fmt.Sprintf(`platform: "ensemble" max_batch_size: 8
		input { name: "texts" data_type: TYPE_STRING dims: [ 1 ] }
		output { name: "ids" data_type: TYPE_INT64 dims: [ -1 ] }
		output { name: "mask" data_type: TYPE_INT64 dims: [ -1 ] }
		output { name: "vectors" data_type: TYPE_FP32 dims: [ -1 ] }
		ensemble_scheduling { %s }`, steps)
}

// TestTokensWithinAnEnsemble: whether the encoder takes the tokenizer's rows as they
// are or reads them out of padded tensors, as it must when it has a pipeline of its
// own, vectors are the engine's and the tokens that clients ask for are there.
func TestTokensWithinAnEnsemble(t *testing.T) {
	t.Parallel()
	for _, apart := range []bool{false, true} {
		f := newFixture(t, triton.Options{Control: triton.ControlExplicit, Load: []string{"*"}})
		if other := tiny(t); apart {
			f.pipelines = map[string]*pipeline.Pipeline{"encoder's": other.Pipeline}
		}
		f.start(t, tokensAndVectors)
		request := func(model string) *kserve.Request {
			return &kserve.Request{Model: model, Inputs: []tensor.Tensor{
				{Name: "texts", Datatype: tensor.Bytes, Shape: []int64{int64(len(texts)), 1}, Data: tensor.StringsData(texts)}}}
		}
		tokens, err := f.Infer(t.Context(), request("tokenizer"))
		if err != nil {
			t.Fatal(err)
		}
		for _, model := range []string{"inner", "outer"} {
			got, err := f.Infer(t.Context(), request(model))
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range tokens.Outputs[1:] {
				if have := got.Outputs[i]; !reflect.DeepEqual(have, want) || len(have.Data) == 0 {
					t.Errorf("%s, apart %v: %+v, want %+v", model, apart, have, want)
				}
			}
			f.holdVectors(t, got.Outputs[2].Data)
		}
	}
}

// holdVectors compares the data of a tensor with the engine's vectors of texts.
func (f *fixture) holdVectors(t *testing.T, data []byte) {
	t.Helper()
	flat, err := tensor.Floats(data)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		want := f.embed(t, text)
		if got := flat[i*len(want):][:len(want)]; !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", text, got[:3], want[:3])
		}
	}
}
