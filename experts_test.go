package paceline_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/paceline/paceline"
)

// TestExperts holds a mixture of experts against its formulas in plain PyTorch
// (test/fixtures/experts.py makes both), and against what looks like it.
func TestExperts(t *testing.T) {
	t.Parallel()
	const folder = "testdata/tiny/experts"
	var want struct {
		Texts      []string
		Embeddings [][]float32
	}
	readJSON(t, filepath.Join(folder, "expected.json"), &want)
	files := map[string][]byte{}
	for _, name := range []string{"config.json", "model.safetensors"} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	dir := copyOf(t, tinyBERT, files)
	m := open(t, dir, paceline.WithThreads(3))
	together := embed(t, m, want.Texts)
	if d := worst(together, want.Embeddings); d > tinyTolerance {
		t.Errorf("largest difference %g", d)
	}
	for i, text := range want.Texts {
		if !slices.Equal(embed(t, m, []string{text})[0], together[i]) {
			t.Errorf("text %d depends on its batch", i)
		}
	}
	same := func(name string) string { return name }
	files["model.safetensors"] = rewriteWeights(t, filepath.Join(dir, "model.safetensors"), same, func(name string, data []byte) {
		if name == "encoder.layers.3.mlp.router.layer.weight" { // its first two rows change places
			row := len(data) / 4
			first := slices.Clone(data[:row])
			copy(data, data[row:2*row])
			copy(data[row:], first)
		}
	})
	if d := worst(embed(t, open(t, copyOf(t, tinyBERT, files)), want.Texts), want.Embeddings); d < 1e-2 {
		t.Errorf("other experts: largest difference only %g", d)
	}
}
