package paceline_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/paceline/paceline"
)

// TestModules holds pipelines of other modules than the usual three against the
// vectors of sentence-transformers (test/fixtures/modules.py makes both): several
// poolings at once, LayerNorm, WeightedLayerPooling, Dense with every kind of
// activation, a cut to truncate_dim, a default prompt that pooling leaves out.
func TestModules(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("testdata/tiny/modules/*")
	if err != nil || len(folders) < 4 {
		t.Fatalf("%d cases, %v", len(folders), err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			var want struct {
				Texts      []string
				Embeddings [][]float32
				Similarity string
			}
			readJSON(t, filepath.Join(folder, "expected.json"), &want)
			changes := map[string][]byte{"2_Normalize": nil, "modules.json": nil}
			err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				name, _ := filepath.Rel(folder, path)
				changes[name], err = os.ReadFile(path)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			m := open(t, copyOf(t, tinyBERT, changes))
			if m.Dim() != len(want.Embeddings[0]) {
				t.Errorf("%d values, want %d", m.Dim(), len(want.Embeddings[0]))
			}
			for i, v := range embed(t, m, want.Texts) {
				var worst float64
				for k, x := range v {
					worst = max(worst, math.Abs(float64(x-want.Embeddings[i][k])))
				}
				if worst > tinyTolerance {
					t.Errorf("text %d is off by %g", i, worst)
				}
				alone := embed(t, m, want.Texts[i:i+1])[0]
				for k, x := range v {
					if x != alone[k] {
						t.Fatalf("text %d depends on its batch", i)
					}
				}
			}
			a, b := want.Embeddings[2], want.Embeddings[3]
			like := map[string]paceline.Similarity{"cosine": paceline.Cosine, "dot": paceline.Dot}[want.Similarity]
			if got := m.Similarity()(a, b); got != like(a, b) {
				t.Errorf("the similarity is %g, want that of %s: %g", got, want.Similarity, like(a, b))
			}
		})
	}
}
