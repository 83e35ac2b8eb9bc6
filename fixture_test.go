package paceline_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/paceline/paceline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tinyBERT is a small BERT of random weights, with the vectors that
// sentence-transformers computes for it.
const tinyBERT = "testdata/tiny/bert"

// tinyTolerance lies between the reference's own noise (1.1e-6) and what the
// least mistake of structure changes (1e-2).
const tinyTolerance = 1e-5

// shared returns the folder with the fixtures of the other families, or skips.
func shared(t testing.TB) string {
	t.Helper()
	root := os.Getenv("PACELINE_SHARED")
	if root == "" {
		root = filepath.Join("..", "shared")
	}
	dir := filepath.Join(root, "fixtures")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no fixtures of the other families at %s: set PACELINE_SHARED to the folder that holds fixtures/", dir)
	}
	return dir
}

// expected is what sentence-transformers makes of a fixture's texts.
type expected struct {
	Texts      []string    `json:"texts"`
	Embeddings [][]float32 `json:"embeddings"`
	Prompted   []int       `json:"prompt_texts"`
	Prompts    map[string]struct {
		Prompt     string      `json:"prompt"`
		Embeddings [][]float32 `json:"embeddings"`
	} `json:"with_prompts"`
}

func readExpected(t testing.TB, dir string) expected {
	t.Helper()
	var e expected
	readJSON(t, filepath.Join(dir, "expected.json"), &e)
	return e
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

// open opens a model with float32 arithmetic, unless the options say otherwise.
func open(t testing.TB, name string, options ...paceline.Option) *paceline.Model {
	t.Helper()
	options = append([]paceline.Option{paceline.WithDType("float32")}, options...)
	m, err := paceline.Open(context.Background(), name, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func embed(t testing.TB, m *paceline.Model, texts []string, options ...paceline.EmbedOption) [][]float32 {
	t.Helper()
	vectors, err := m.Embed(context.Background(), texts, options...)
	if err != nil {
		t.Fatal(err)
	}
	return vectors
}

// copyOf copies a repository into a folder of the test's own and changes files
// there; a change of nil removes the file.
func copyOf(t testing.TB, dir string, changes map[string][]byte) string {
	t.Helper()
	out := t.TempDir()
	if err := os.CopyFS(out, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for name, data := range changes {
		file := filepath.Join(out, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if data == nil {
			continue
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// rewriteWeights gives tensors other names and then changes their bytes at will.
func rewriteWeights(t testing.TB, file string, rename func(string) string, change func(name string, data []byte)) []byte {
	t.Helper()
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	size := 8 + binary.LittleEndian.Uint64(old)
	var entries map[string]map[string]any
	if err := json.Unmarshal(old[8:size], &entries); err != nil {
		t.Fatal(err)
	}
	renamed := map[string]map[string]any{}
	for name, entry := range entries {
		if offsets, ok := entry["data_offsets"].([]any); ok {
			name = rename(name)
			change(name, old[size+uint64(offsets[0].(float64)):size+uint64(offsets[1].(float64))])
		}
		renamed[name] = entry
	}
	header, err := json.Marshal(renamed)
	if err != nil {
		t.Fatal(err)
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), old[size:]...)
}

// readVectors reads a two-dimensional float32 array in NumPy's format, version 1.
func readVectors(t testing.TB, file string, width int) [][]float32 {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data = data[10+int(binary.LittleEndian.Uint16(data[8:])):]
	var vectors [][]float32
	for ; len(data) > 0; data = data[4*width:] {
		v := make([]float32, width)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		vectors = append(vectors, v)
	}
	return vectors
}

// worst is the largest difference between two lists of vectors, infinite when
// they are not of the same shape or hold what is no number.
func worst(got, want [][]float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var largest float64
	for i := range got {
		if len(got[i]) != len(want[i]) {
			return math.Inf(1)
		}
		for j, x := range got[i] {
			d := math.Abs(float64(x) - float64(want[i][j]))
			if math.IsNaN(d) {
				return math.Inf(1)
			}
			largest = max(largest, d)
		}
	}
	return largest
}

// cosine is exact enough to tell 0.99999 from 1.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

func lowestCosine(got, want [][]float32) float64 {
	lowest := 1.0
	for i := range got {
		lowest = min(lowest, cosine(got[i], want[i]))
	}
	return lowest
}
