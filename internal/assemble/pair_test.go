package assemble

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/store"
)

// TestPairs scores pairs of texts as sentence-transformers' CrossEncoder does, from
// text to score, for every small classifier.
func TestPairs(t *testing.T) {
	t.Parallel()
	root := os.Getenv("PACELINE_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	files, _ := filepath.Glob(filepath.Join(root, "fixtures", "tiny", "*", "expected.json"))
	if len(files) == 0 {
		t.Skipf("no small classifiers under %s: set PACELINE_SHARED to the folder that holds fixtures/", root)
	}
	for _, file := range files {
		var want struct {
			Pairs     [][2]string `json:"pairs"`
			MaxLength int         `json:"max_length"`
			Scores    [][]float32 `json:"scores"`
		}
		data, err := os.ReadFile(file)
		if err != nil || json.Unmarshal(data, &want) != nil {
			t.Fatal(file, err)
		}
		if len(want.Pairs) == 0 {
			continue // an embedding model
		}
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			t.Parallel()
			m, err := Open(context.Background(), store.New(store.Options{Offline: true}), filepath.Dir(file), Options{DType: "float32"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { m.Close() })
			for i, pair := range want.Pairs {
				for j, got := range scorePair(t, m, pair, want.MaxLength) {
					if d := math.Abs(float64(got - want.Scores[i][j])); !(d <= 1e-5) {
						t.Errorf("pair %d, label %d: %g, want %g", i, j, got, want.Scores[i][j])
					}
				}
				if i == 0 && math.Abs(float64(scorePair(t, m, [2]string{pair[1], pair[0]}, 0)[0]-want.Scores[0][0])) < 1e-3 {
					t.Error("the texts of a pair can be exchanged: the check sees nothing")
				}
			}
		})
	}
}

func scorePair(t *testing.T, m *Model, pair [2]string, limit int) []float32 {
	t.Helper()
	p, err := m.Pipeline.PreparePair(pair[0], pair[1], pipeline.PrepareOptions{Truncate: true, MaxTokens: limit})
	if err != nil {
		t.Fatal(err)
	}
	logits := make([]float32, len(m.Pipeline.Labels()))
	var b model.Batch
	b.Append(p.IDs, p.Types, 0, model.Output{Logits: logits})
	if err := m.Engine.Run(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	if err := m.Pipeline.Score(logits); err != nil {
		t.Fatal(err)
	}
	return logits
}
