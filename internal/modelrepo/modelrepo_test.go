package modelrepo_test

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/modelrepo"
)

// encoder is a config as people write them: comments, commas, lists of blocks,
// both quotes, angle brackets.
const encoder = `# sentence_transformer/config.pbtxt
name: "encoder"   # as the folder
backend: 'paceline'
max_batch_size: 128
input [
  { name: "input_ids" data_type: TYPE_INT32 dims: [ -1 ] },  # Variable sequence length
  < name: "attention_mask", data_type: TYPE_INT32; dims: -1 >
]
output [ { name: "embeddings" data_type: TYPE_FP32 dims: [ 384 ] } ]
dynamic_batching {
  preferred_batch_size: [ 16, 32, 64, 128 ]
  max_queue_delay_microseconds: 50000  # 50ms
  preserve_ordering: false
  priority_levels: 2
  default_priority_level: 2
  default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 100 allow_timeout_override: true max_queue_size: 9 }
  priority_queue_policy { key: 1 value { max_queue_size: 3 } }
}
instance_group [ { count: 2 kind: KIND_GPU gpus: [ 0 ] } ]
model_warmup [ { name: "sample" batch_size: 16 inputs { key: "input_ids" value: { data_type: TYPE_INT32 dims: [ 32 ] random_data: true } } } ]
version_policy: { specific: { versions: [1, 3] } }
parameters { key: "model" value { string_value: "all-" "MiniLM-L6-v2" } }
`

func TestConfigAsPeopleWriteIt(t *testing.T) {
	t.Parallel()
	c, warnings, err := modelrepo.ParseConfig("config.pbtxt", []byte(encoder))
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	b := c.GetDynamicBatching()
	switch {
	case c.MaxBatchSize != 128, len(c.Input) != 2, c.Input[1].Name != "attention_mask", c.Input[1].Dims[0] != -1:
		t.Errorf("%v", c)
	case !reflect.DeepEqual(b.PreferredBatchSize, []int32{16, 32, 64, 128}), b.MaxQueueDelayMicroseconds != 50000, b.PriorityLevels != 2:
		t.Errorf("%v", b)
	case b.DefaultQueuePolicy.TimeoutAction != pb.ModelQueuePolicy_DELAY, b.PriorityQueuePolicy[1].MaxQueueSize != 3:
		t.Errorf("%v", b)
	case c.Parameters["model"].GetStringValue() != "all-MiniLM-L6-v2", !c.ModelWarmup[0].Inputs["input_ids"].GetRandomData():
		t.Errorf("%v", c)
	}
}

// TestTwoKeysInOneEntry holds the mistake that ensembles are known for, at the
// line and column of the second key, and the right form.
func TestTwoKeysInOneEntry(t *testing.T) {
	t.Parallel()
	text := `name: "p"
ensemble_scheduling {
  step [
    {
      model_name: "tokenizer"
      output_map {
        key: "input_ids"
        value: "input_ids"
        key: "attention_mask"
        value: "mask"
      }
    },
    { input_map { key: "a" value: "b" key: "c" value: "d" } }
  ]
}
`
	_, _, err := modelrepo.ParseConfig("p/config.pbtxt", []byte(text))
	if err == nil {
		t.Fatal("two keys in one entry were taken")
	}
	for _, want := range []string{
		"p/config.pbtxt:9:9: ensemble_scheduling.step.output_map has 2 keys",
		`output_map { key: "input_ids" value: "input_ids" } output_map { key: "attention_mask" value: "mask" }`,
		"p/config.pbtxt:13:39: ", `input_map { key: "c" value: "d" }`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestUnknownFieldsAreNamed(t *testing.T) {
	t.Parallel()
	c, warnings, err := modelrepo.ParseConfig("c", []byte("name: \"m\"\n  nmae: 3\ninput { name: \"x\" dimms: [1, 2] blocks [ { a: 1 } ] }\nparameters { key: \"k\" value { text: \"v\" } }"))
	if err != nil || c.Name != "m" || c.Input[0].Name != "x" {
		t.Fatal(c, err)
	}
	var got []string
	for _, w := range warnings {
		got = append(got, w.Error())
	}
	want := []string{
		`c:2:3: unknown field "nmae" is ignored`,
		`c:3:19: unknown field "input.dimms" is ignored`, `c:3:19: unknown field "input.dimms" is ignored`,
		`c:3:33: unknown field "input.blocks" is ignored`,
		`c:4:31: unknown field "parameters.value.text" is ignored`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func TestSyntaxErrorsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	for text, place := range map[string]string{
		"name: \"m\"\nmax_batch_size: \"x\"":   "c:2:17: ",
		"name: \"m":                            "c:1:",
		"input [ {":                            "c:",
		"input { data_type: TYPE_INT31 }":      "c:1:20: ",
		"max_batch_size: 1\nmax_batch_size: 2": "c:2:1: ",
	} {
		if _, _, err := modelrepo.ParseConfig("c", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), place) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestFalseBesideItsAlternative reads "zero_data: false random_data: true", which
// configs have though the format calls it two choices of one.
func TestFalseBesideItsAlternative(t *testing.T) {
	t.Parallel()
	text := "model_warmup {\n inputs { key: \"x\" value: {\n  zero_data: false\n  random_data: true } } }"
	c, warnings, err := modelrepo.ParseConfig("c", []byte(text))
	if err != nil || !c.ModelWarmup[0].Inputs["x"].GetRandomData() {
		t.Fatal(c, err)
	}
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0].Error(), "c:3:3: ") {
		t.Errorf("%v", warnings)
	}
	if _, _, err := modelrepo.ParseConfig("c", []byte(strings.Replace(text, "false", "true", 1))); err == nil {
		t.Error("two real choices of one were taken")
	}
}

func folder(files map[string]string) modelrepo.Folder { return modelrepo.Folder{FS: mapFS(files)} }

func mapFS(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(name, "/") {
			name, mode = strings.TrimSuffix(name, "/"), fs.ModeDir|0o755
		}
		fsys[name] = &fstest.MapFile{Data: []byte(text), Mode: mode, ModTime: time.Unix(1000, 0)}
	}
	return fsys
}

func TestVersionPolicies(t *testing.T) {
	t.Parallel()
	all := map[string]string{"encoder/1/": "", "encoder/2/": "", "encoder/10/": "", "encoder/notes/": "", "encoder/03/": "", "encoder/0/": ""}
	for policy, want := range map[string][]int64{
		"": {10}, "version_policy: { latest: { num_versions: 2 } }": {2, 10}, "version_policy: { all: {} }": {1, 2, 10},
		"version_policy: { specific: { versions: [1, 3, 10] } }": {1, 10}, "version_policy: { latest: {} }": {10},
	} {
		all["encoder/config.pbtxt"] = strings.Replace(encoder, "version_policy: { specific: { versions: [1, 3] } }", policy, 1)
		m, err := folder(all).Read("encoder")
		if err != nil || !reflect.DeepEqual(m.Versions, want) {
			t.Errorf("%q: %v, %v", policy, m, err)
		}
	}
}

func TestConfigsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, says string }{
		{`name: "encoder"`, `name: "other"`, "directory name must equal model name"},
		{"max_batch_size: 128", "max_batch_size: -1", "non-negative"},
		{"max_batch_size: 128", "max_batch_size: 64", "preferred size 128 must be <= max batch size 64"},
		{"dims: [ 384 ]", "dims: [ 0 ]", "dimension must be integer >= 1"},
		{"dims: [ 384 ]", "", "must specify 'dims'"},
		{`< name: "attention_mask"`, `< name: "input_ids"`, "there twice"},
		{"default_priority_level: 2", "default_priority_level: 3", "default priority level must be in range"},
		{"key: 1 value { max", "key: 7 value { max", "got 7"},
		{"preserve_ordering: false", "preserve_ordering: true", "more than one priority"},
		{"preserve_ordering: false\n  priority_levels: 2\n  default_priority_level: 2", "preserve_ordering: true\n  priority_levels: 1\n  default_priority_level: 1", "timeout action DELAY"},
		{"batch_size: 16", "batch_size: 1000", "more than max_batch_size"},
		{`inputs { key: "input_ids"`, `inputs { key: "x"`, "has an input 'x'"},
		{"versions: [1, 3]", "versions: [4]", "at least one version must be available"},
		{"backend: 'paceline'", "sequence_batching {}", "oneof"},
	} {
		text := strings.Replace(encoder, c.from, c.to, 1)
		if text == encoder {
			t.Fatalf("%q is not in the config", c.from)
		}
		_, err := folder(map[string]string{"encoder/config.pbtxt": text, "encoder/1/": ""}).Read("encoder")
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s -> %s: %v", c.from, c.to, err)
		}
	}
}

func TestEnsemblesThatCannotBe(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile("preset/embedding_pipeline.pbtxt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, says string }{
		{"", "", ""},
		{`output_map { key: "attention_mask" value: "attention_mask" }`, "", "'attention_mask' that step 1 of 'embedding_pipeline' reads comes from nowhere"},
		{`output_map { key: "embeddings" value: "embeddings" }`, `output_map { key: "embeddings" value: "x" }`, "output 'embeddings'"},
		{`output_map { key: "embeddings" value: "embeddings" }`, `output_map { key: "embeddings" value: "texts" }`, "more than one place"},
		{`model_name: "tokenizer"`, `model_name: "embedding_pipeline"`, "the ensemble itself"},
		{`input_map { key: "texts" value: "texts" }`, `input_map { key: "texts" value: "embeddings" }`, "wait for each other"},
		{`platform: "ensemble"`, `platform: "x"`, "platform is not ensemble"},
	} {
		text := strings.Replace(strings.Replace(string(good), "{{.Dim}}", "3", 1), c.from, c.to, 1)
		_, err := folder(map[string]string{"embedding_pipeline/config.pbtxt": text, "embedding_pipeline/1/": ""}).Read("embedding_pipeline")
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s -> %s: %v", c.from, c.to, err)
		}
	}
}

func TestNamesThatLeaveTheRepository(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".", "..", "../encoder", "a/b", `a\b`, "/etc", "absent"} {
		if _, err := folder(map[string]string{"encoder/1/": ""}).Read(name); !errors.Is(err, modelrepo.ErrNoModel) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestPresetIsWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/repository"
	p := modelrepo.Preset{Model: `a "model"\`, Dim: 384}
	if err := p.Write(dir); err != nil {
		t.Fatal(err)
	}
	names, err := modelrepo.Folder{FS: os.DirFS(dir)}.List()
	if err != nil || !reflect.DeepEqual(names, []string{"embedding_pipeline", "sentence_transformer", "tokenizer"}) {
		t.Errorf("%q, %v", names, err)
	}
	for _, name := range names {
		m, err := modelrepo.Folder{FS: os.DirFS(dir)}.Read(name)
		if err != nil || len(m.Warnings) > 0 || !reflect.DeepEqual(m.Versions, []int64{1}) {
			t.Errorf("%s: %+v, %v", name, m, err)
			continue
		}
		if got := m.Config.Parameters["model"].GetStringValue(); got != p.Model && name != "embedding_pipeline" {
			t.Errorf("%s: model %q", name, got)
		}
	}
	if err := p.Write(dir); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("written twice: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("left over: %v, %v", entries, err)
	}
}

func TestModifiedSeesDeepChanges(t *testing.T) {
	t.Parallel()
	fsys := mapFS(map[string]string{"encoder/config.pbtxt": encoder, "encoder/1/model.safetensors": "x"})
	before, err := modelrepo.Folder{FS: fsys}.Modified("encoder")
	if err != nil {
		t.Fatal(err)
	}
	fsys["encoder/1/model.safetensors"].ModTime = time.Unix(2000, 0)
	after, err := modelrepo.Folder{FS: fsys}.Modified("encoder")
	if err != nil || !after.After(before) {
		t.Errorf("%v, then %v, %v", before, after, err)
	}
}

// FuzzParseConfig feeds any text: it is a config, or it is refused with a place
// in the file.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(encoder))
	f.Add([]byte("ensemble_scheduling { step [ { input_map { key: \"a\" key: 'b\\'c' value } } ] }"))
	f.Add([]byte("a: [[[[<<{{"))
	f.Add([]byte("zero_data: false model_warmup { inputs { value { zero_data: false random_data: true"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, warnings, err := modelrepo.ParseConfig("c", text)
		if (c == nil) == (err == nil) {
			t.Fatal(c, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "c:") {
			t.Fatalf("no file in %v", err)
		}
		for _, w := range warnings {
			if w.Line < 1 || w.Column < 1 || w.Line > strings.Count(string(text), "\n")+1 {
				t.Fatalf("%v of %q", w, text)
			}
		}
	})
}
