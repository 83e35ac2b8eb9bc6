package cpu

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// fixtures returns the folder of reference vectors beside the repository, or skips.
func fixtures(t testing.TB) string {
	t.Helper()
	root := os.Getenv("PACELINE_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared")
	}
	dir := filepath.Join(root, "fixtures")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no reference vectors at %s: set PACELINE_SHARED to the folder that holds fixtures/", dir)
	}
	return dir
}

func readJSON(t testing.TB, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// expected is what sentence-transformers made of a tiny model.
type expected struct {
	InputIDs   [][]int32   `json:"input_ids"`
	Embeddings [][]float32 `json:"embeddings"` // normalised
	Hidden     []struct {
		Text  int       `json:"text"`
		State []float32 `json:"last_hidden_state"`
	} `json:"hidden"`
}

// openTiny makes an engine for a fixture's repository, of float32 unless o says otherwise.
func openTiny(t testing.TB, dir string, o Options, change func(*model.Spec)) *Engine {
	t.Helper()
	o.DType = cmp.Or(o.DType, string(kernel.Float32))
	tensors := readTensors(t, dir)
	spec, err := model.Read(os.DirFS(dir), tensors)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(spec)
	}
	e, err := New(spec, tensors, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// embedAll runs all sequences as one batch.
func embedAll(t testing.TB, e *Engine, sequences [][]int32) [][]float32 {
	t.Helper()
	var b model.Batch
	for _, ids := range sequences {
		b.Append(ids, nil, 0, model.Output{Vector: make([]float32, e.spec.Dim())})
	}
	if err := e.Run(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	vectors := make([][]float32, b.Len())
	for i, out := range b.Out {
		vectors[i] = out.Vector
	}
	return vectors
}

// tinyTolerance is what the fixtures promise: the reference's own noise is below 1.1e-6.
const tinyTolerance = 1e-5

func TestTinyParity(t *testing.T) {
	t.Parallel()
	root := fixtures(t)
	for _, name := range []string{"bert", "bert_legacy_names"} {
		for _, level := range kernel.Levels() {
			t.Run(name+"/"+string(level), func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(root, "tiny", name)
				var want expected
				readJSON(t, filepath.Join(dir, "expected.json"), &want)
				e := openTiny(t, dir, Options{Threads: 2, Level: level}, nil)
				set, _ := kernel.Open(kernel.Generic)
				for i, v := range embedAll(t, e, want.InputIDs) {
					set.Normalize(v)
					if d := maxDifference(v, want.Embeddings[i]); !(d <= tinyTolerance) {
						t.Errorf("text %d: largest difference %g", i, d)
					}
				}
				testHidden(t, e, &want)
			})
		}
	}
}

func testHidden(t *testing.T, e *Engine, want *expected) {
	var b model.Batch
	for _, h := range want.Hidden {
		b.Append(want.InputIDs[h.Text], nil, 0, model.Output{Tokens: make([]float32, len(h.State))})
	}
	if err := e.Run(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	for i, h := range want.Hidden {
		if d := maxDifference(b.Out[i].Tokens, h.State); !(d <= tinyTolerance) {
			t.Errorf("hidden states of text %d: largest difference %g", h.Text, d)
		}
	}
}

func TestTinyPoolingModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(fixtures(t), "tiny", "bert")
	var all expected
	readJSON(t, filepath.Join(dir, "expected.json"), &all)
	var want struct {
		Texts   []int                             `json:"texts"`
		Pooling map[model.PoolingMode][][]float32 `json:"pooling"`
	}
	readJSON(t, filepath.Join(dir, "pooling_modes.json"), &want)
	if len(want.Pooling) < len(poolers) {
		t.Errorf("%d pooling modes in the fixture, %d implemented", len(want.Pooling), len(poolers))
	}
	var ids [][]int32
	for _, i := range want.Texts {
		ids = append(ids, all.InputIDs[i])
	}
	for mode, vectors := range want.Pooling {
		e := openTiny(t, dir, Options{}, func(s *model.Spec) { s.Pooling = []model.PoolingMode{mode} })
		for i, v := range embedAll(t, e, ids) {
			if d := maxDifference(v, vectors[i]); !(d <= tinyTolerance) {
				t.Errorf("%s of text %d: largest difference %g", mode, want.Texts[i], d)
			}
		}
	}
}

func maxDifference(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	worst := 0.0
	for i := range a {
		if d := math.Abs(float64(a[i]) - float64(b[i])); !(d <= worst) {
			worst = d
		}
	}
	return worst
}
