package paceline_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline"
	"github.com/paceline/paceline/internal/store"
)

func TestTinyParity(t *testing.T) {
	t.Parallel()
	want := readExpected(t, tinyBERT)
	m := open(t, tinyBERT)
	if d := worst(embed(t, m, want.Texts), want.Embeddings); d > tinyTolerance {
		t.Errorf("largest difference %g", d)
	}
}

// TestParityCanFail holds that the comparison sees what must not pass.
func TestParityCanFail(t *testing.T) {
	t.Parallel()
	want := readExpected(t, tinyBERT)
	keep := func(s string) string { return s }
	for name, change := range map[string]func(string, []byte){
		"no bias in one feed-forward layer": func(name string, data []byte) {
			if name == "encoder.layer.1.intermediate.dense.bias" {
				clear(data)
			}
		},
		"token types exchanged": func(name string, data []byte) {
			if name == "embeddings.token_type_embeddings.weight" {
				row := slices.Clone(data[:len(data)/2])
				copy(data, data[len(data)/2:])
				copy(data[len(data)/2:], row)
			}
		},
	} {
		weights := rewriteWeights(t, filepath.Join(tinyBERT, "model.safetensors"), keep, change)
		m := open(t, copyOf(t, tinyBERT, map[string][]byte{"model.safetensors": weights}))
		if d := worst(embed(t, m, want.Texts), want.Embeddings); d < 1e-3 {
			t.Errorf("%s: largest difference only %g", name, d)
		}
	}
	swapped := slices.Clone(want.Embeddings)
	swapped[6], swapped[7] = swapped[7], swapped[6]
	if worst(swapped, want.Embeddings) < 1e-3 || worst(want.Embeddings[1:], want.Embeddings) < 1e-3 {
		t.Error("rows out of place pass for equal")
	}
	if d := worst([][]float32{{float32(math.NaN())}}, [][]float32{{0}}); d < 1 {
		t.Errorf("no number passes for equal: %g", d)
	}
}

// TestOldestNames opens the same weights under the names of checkpoints that were
// converted from TensorFlow.
func TestOldestNames(t *testing.T) {
	t.Parallel()
	oldest := strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta")
	weights := rewriteWeights(t, filepath.Join(tinyBERT, "model.safetensors"),
		func(s string) string { return "bert." + oldest.Replace(s) }, func(string, []byte) {})
	if !strings.Contains(string(weights), `"bert.embeddings.LayerNorm.gamma"`) {
		t.Fatal("nothing was renamed")
	}
	texts := readExpected(t, tinyBERT).Texts
	renamed := open(t, copyOf(t, tinyBERT, map[string][]byte{"model.safetensors": weights}))
	if d := worst(embed(t, renamed, texts), embed(t, open(t, tinyBERT), texts)); d != 0 {
		t.Errorf("other names, other vectors: largest difference %g", d)
	}
}

// TestPoolingModes goes through all modes in both spellings, and two at once.
func TestPoolingModes(t *testing.T) {
	t.Parallel()
	var want struct {
		Texts   []int                  `json:"texts"`
		Pooling map[string][][]float32 `json:"pooling"`
	}
	readJSON(t, filepath.Join(tinyBERT, "pooling_modes.json"), &want)
	all := readExpected(t, tinyBERT).Texts
	var texts []string
	for _, i := range want.Texts {
		texts = append(texts, all[i])
	}
	if len(want.Pooling) != 6 {
		t.Fatalf("%d modes in the fixture", len(want.Pooling))
	}
	oldNames := map[string]string{
		"cls": "pooling_mode_cls_token", "max": "pooling_mode_max_tokens", "mean": "pooling_mode_mean_tokens",
		"mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens", "weightedmean": "pooling_mode_weightedmean_tokens", "lasttoken": "pooling_mode_lasttoken",
	}
	for mode, vectors := range want.Pooling {
		for spelling, config := range map[string]any{
			"old": map[string]any{"word_embedding_dimension": 48, oldNames[mode]: true},
			"new": map[string]any{"embedding_dimension": 48, "pooling_mode": mode},
		} {
			m := open(t, withPooling(t, config))
			if d := worst(embed(t, m, texts, paceline.WithNormalize(false)), vectors); d > tinyTolerance {
				t.Errorf("%s, %s spelling: largest difference %g", mode, spelling, d)
			}
		}
	}
	m := open(t, withPooling(t, map[string]any{"pooling_mode": []string{"max", "cls"}}))
	for i, v := range embed(t, m, texts, paceline.WithNormalize(false)) {
		both := slices.Concat(want.Pooling["max"][i], want.Pooling["cls"][i])
		if d := worst([][]float32{v}, [][]float32{both}); d > tinyTolerance {
			t.Errorf("max and cls of text %d: largest difference %g", i, d)
		}
	}
}

func withPooling(t *testing.T, config any) string {
	t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return copyOf(t, tinyBERT, map[string][]byte{"1_Pooling/config.json": data})
}

// implemented lists the fixtures that must open. The others are opened as well,
// and skipped as long as a part of them is not supported.
var implemented = []string{"bert", "bert_legacy_names", "distilbert"}

// TestFamilies goes through the small models of all families, with their prompts.
func TestFamilies(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join(shared(t), "tiny", "*", "expected.json"))
	if err != nil || len(dirs) < len(implemented) {
		t.Fatalf("%d fixtures, %v", len(dirs), err)
	}
	for _, file := range dirs {
		dir := filepath.Dir(file)
		want := readExpected(t, dir)
		if len(want.Embeddings) == 0 {
			continue // a classifier
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			m := openSupported(t, dir)
			if d := worst(embed(t, m, want.Texts), want.Embeddings); d > tinyTolerance {
				t.Errorf("largest difference %g", d)
			}
			for name, p := range want.Prompts {
				var texts []string
				for _, i := range want.Prompted {
					texts = append(texts, want.Texts[i])
				}
				if d := worst(embed(t, m, texts, paceline.WithPrompt(name)), p.Embeddings); d > tinyTolerance {
					t.Errorf("prompt %s: largest difference %g", name, d)
				}
			}
		})
	}
}

func openSupported(t *testing.T, dir string) *paceline.Model {
	t.Helper()
	m, err := paceline.Open(context.Background(), dir)
	if !slices.Contains(implemented, filepath.Base(dir)) {
		if errors.Is(err, paceline.ErrUnsupported) || err != nil && strings.Contains(err.Error(), "not supported") {
			t.Skip(err) // the tokenizer's errors have no type to ask for
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestRealParity compares with sentence-transformers on the real all-MiniLM-L6-v2.
func TestRealParity(t *testing.T) {
	t.Parallel()
	m := openMiniLM(t)
	var texts []string
	readJSON(t, "testdata/texts64.json", &texts)
	want := readVectors(t, "testdata/real/all-MiniLM-L6-v2/embeddings.npy", 384)
	got := embed(t, m, texts)
	d, c := worst(got, want), lowestCosine(got, want)
	t.Logf("largest difference %g, lowest cosine %.9f", d, c)
	if d > 1e-4 || c < 0.99999 {
		t.Errorf("largest difference %g, lowest cosine %.9f", d, c)
	}
	if c := lowestCosine(got[1:], want); c > 0.99 {
		t.Errorf("texts out of place have a cosine of %g: the check sees nothing", c)
	}
}

// openMiniLM opens the real model where this machine has it, or skips.
func openMiniLM(t testing.TB) *paceline.Model {
	t.Helper()
	if dir := os.Getenv("PACELINE_TEST_MINILM"); dir != "" {
		return open(t, dir)
	}
	o := store.FromEnvironment()
	o.Offline = true
	repo, err := store.New(o).Open(context.Background(), "all-MiniLM-L6-v2")
	if err != nil {
		t.Skipf("all-MiniLM-L6-v2 is not on this machine (`paceline models pull all-MiniLM-L6-v2`, or a folder in PACELINE_TEST_MINILM): %v", err)
	}
	return open(t, repo.Dir)
}
