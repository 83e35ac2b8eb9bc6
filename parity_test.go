package paceline_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
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

// TestPromptLeftOut goes through all modes with include_prompt: false, where the
// prompt's tokens are attended to but not pooled.
func TestPromptLeftOut(t *testing.T) {
	t.Parallel()
	var want struct {
		Prompt  string                 `json:"prompt"`
		Texts   []int                  `json:"texts"`
		Pooling map[string][][]float32 `json:"pooling"`
	}
	readJSON(t, filepath.Join(tinyBERT, "prompt_pooling.json"), &want)
	all := readExpected(t, tinyBERT).Texts
	var texts []string
	for _, i := range want.Texts {
		texts = append(texts, all[i])
	}
	for mode, vectors := range want.Pooling {
		config := map[string]any{"pooling_mode": mode, "include_prompt": false}
		m := open(t, withPooling(t, config))
		got := embed(t, m, texts, paceline.WithPromptText(want.Prompt), paceline.WithNormalize(false))
		if d := worst(got, vectors); d > tinyTolerance {
			t.Errorf("%s: largest difference %g", mode, d)
		}
		if mode == "lasttoken" {
			continue // never one of the prompt's
		}
		config["include_prompt"] = true
		m = open(t, withPooling(t, config))
		if d := worst(embed(t, m, texts, paceline.WithPromptText(want.Prompt), paceline.WithNormalize(false)), vectors); d < 1e-3 {
			t.Errorf("%s: pooling the prompt changes only %g", mode, d)
		}
	}
}

// TestDense computes the module after pooling by hand.
func TestDense(t *testing.T) {
	t.Parallel()
	const in, out = 48, 5
	r := rand.New(rand.NewPCG(9, 10))
	weight, bias := make([]float32, out*in), make([]float32, out)
	for i := range weight {
		weight[i] = float32(r.NormFloat64()) / 4
	}
	for i := range bias {
		bias[i] = float32(r.NormFloat64())
	}
	modules := `[{"path":"","type":"sentence_transformers.models.Transformer"},
		{"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
		{"path":"2_Dense","type":"sentence_transformers.models.Dense"}]`
	config := `{"in_features":48,"out_features":5,"bias":true,"activation_function":"torch.nn.modules.activation.Tanh"}`
	m := open(t, copyOf(t, tinyBERT, map[string][]byte{
		"modules.json": []byte(modules), "2_Dense/config.json": []byte(config),
		"2_Dense/model.safetensors": denseWeights(t, weight, bias),
	}))
	texts := readExpected(t, tinyBERT).Texts
	pooled := embed(t, open(t, tinyBERT), texts, paceline.WithNormalize(false))
	want := make([][]float32, len(texts))
	for i, x := range pooled {
		want[i] = make([]float32, out)
		for j := range want[i] {
			want[i][j] = float32(math.Tanh(float64(bias[j] + paceline.Dot(x, weight[j*in:(j+1)*in]))))
		}
	}
	if m.Dim() != out {
		t.Errorf("Dim is %d", m.Dim())
	}
	if d := worst(embed(t, m, texts), want); d > tinyTolerance {
		t.Errorf("largest difference %g", d)
	}
}

func denseWeights(t *testing.T, weight, bias []float32) []byte {
	t.Helper()
	header := fmt.Sprintf(`{"linear.weight":{"dtype":"F32","shape":[%d,%d],"data_offsets":[0,%d]},"linear.bias":{"dtype":"F32","shape":[%d],"data_offsets":[%d,%d]}}`,
		len(bias), len(weight)/len(bias), 4*len(weight), len(bias), 4*len(weight), 4*(len(weight)+len(bias)))
	out := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	for _, x := range slices.Concat(weight, bias) {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

func withPooling(t *testing.T, config any) string {
	t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return copyOf(t, tinyBERT, map[string][]byte{"1_Pooling/config.json": data})
}

// TestFamilies goes through the small models of all families, with their prompts.
func TestFamilies(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join(shared(t), "tiny", "*", "expected.json"))
	if err != nil || len(dirs) < 14 {
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
			m := open(t, dir)
			if d := worst(embed(t, m, want.Texts), want.Embeddings); d > tinyTolerance {
				t.Errorf("largest difference %g", d)
			}
			for name, p := range want.Prompts {
				if _, ok := m.Prompts()[name]; !ok && p.Prompt == "" {
					continue // sentence-transformers knows "query" and "document" for every model
				}
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

// TestRealFamilies compares with sentence-transformers on the other real models that
// this machine has: in the store's cache or, one folder each, in PACELINE_TEST_MODELS.
func TestRealFamilies(t *testing.T) {
	if testing.Short() {
		t.Skip("real models take half a minute each on a slow machine")
	}
	var texts []string
	readJSON(t, "testdata/texts64.json", &texts)
	for name, width := range map[string]int{"all-mpnet-base-v2": 768, "bge-small-en-v1.5": 384, "e5-small-v2": 384, "paraphrase-MiniLM-L3-v2": 384} {
		t.Run(name, func(t *testing.T) {
			want := readVectors(t, filepath.Join(shared(t), "real", name, "embeddings.npy"), width)
			m := open(t, realModel(t, name))
			got := embed(t, m, texts)
			d, c := worst(got, want), lowestCosine(got, want)
			t.Logf("largest difference %g, lowest cosine %.9f", d, c)
			if d > 1e-4 || c < 0.99999 {
				t.Errorf("largest difference %g, lowest cosine %.9f", d, c)
			}
		})
	}
}

// realModel finds a real model's folder, or skips.
func realModel(t *testing.T, name string) string {
	t.Helper()
	if dir := filepath.Join(os.Getenv("PACELINE_TEST_MODELS"), name); os.Getenv("PACELINE_TEST_MODELS") != "" {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	o := store.FromEnvironment()
	o.Offline = true
	repo, err := store.New(o).Open(context.Background(), name)
	if err != nil {
		t.Skipf("%s is not on this machine (`paceline models pull %s`, or a folder of that name in PACELINE_TEST_MODELS): %v", name, name, err)
	}
	return repo.Dir
}

// openMiniLM opens the real model where this machine has it, or skips.
func openMiniLM(t testing.TB) *paceline.Model {
	t.Helper()
	if dir := os.Getenv("PACELINE_TEST_MODEL"); dir != "" {
		return open(t, dir)
	}
	o := store.FromEnvironment()
	o.Offline = true
	repo, err := store.New(o).Open(context.Background(), "all-MiniLM-L6-v2")
	if err != nil {
		t.Skipf("all-MiniLM-L6-v2 is not on this machine (`paceline models pull all-MiniLM-L6-v2`, or a folder in PACELINE_TEST_MODEL): %v", err)
	}
	return open(t, repo.Dir)
}
