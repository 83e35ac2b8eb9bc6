package cpu

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// expectedLogits is what transformers made of a tiny classifier.
type expectedLogits struct {
	InputIDs   [][]int32   `json:"input_ids"`
	TokenTypes [][]int     `json:"token_type_ids"`
	Logits     [][]float32 `json:"logits"`
}

var tinyClassifiers = map[string]func(*model.Spec){ // with a mistake each
	"bert_reranker":        func(s *model.Spec) { s.Classifier.Dense.Activation = model.Identity },
	"bert_classifier":      func(s *model.Spec) { s.Classifier.Pooling = model.PoolMean },
	"xlm_roberta_reranker": func(s *model.Spec) { s.Classifier.Pooling = model.PoolLast },
	"modernbert_reranker":  func(s *model.Spec) { s.Classifier.Norm = model.Norm{} },
}

// classifyAll runs all pairs as one batch.
func classifyAll(t *testing.T, e *Engine, want *expectedLogits) [][]float32 {
	t.Helper()
	var b model.Batch
	for i, ids := range want.InputIDs {
		types := make([]uint8, len(ids))
		for j, kind := range want.TokenTypes[i] {
			types[j] = uint8(kind)
		}
		b.Append(ids, types, 0, model.Output{Logits: make([]float32, len(want.Logits[i]))})
	}
	mustRun(t, e, &b)
	logits := make([][]float32, b.Len())
	for i := range logits {
		logits[i] = b.Out[i].Logits
	}
	return logits
}

func worstLogit(t *testing.T, e *Engine, want *expectedLogits) float64 {
	worst := 0.0
	for i, logits := range classifyAll(t, e, want) {
		if d := maxDifference(logits, want.Logits[i]); !(d <= worst) {
			worst = d
		}
	}
	return worst
}

func TestClassifiers(t *testing.T) {
	t.Parallel()
	root := fixtures(t)
	for name, mistake := range tinyClassifiers {
		dir := filepath.Join(root, "tiny", name)
		var want expectedLogits
		readJSON(t, filepath.Join(dir, "expected.json"), &want)
		for _, level := range kernel.Levels() {
			if raceEnabled && level != kernel.AVX2 {
				continue
			}
			e := openTiny(t, dir, Options{Threads: 2, Level: level, DType: "float32"}, nil)
			if d := worstLogit(t, e, &want); !(d <= tinyTolerance) {
				t.Errorf("%s at level %s: largest difference %g", name, level, d)
			}
		}
		if d := worstLogit(t, openTiny(t, dir, Options{DType: "float32"}, mistake), &want); d < 1e-3 {
			t.Errorf("%s with a mistake: largest difference only %g", name, d)
		}
	}
}

// TestLogitsAlone: a pair's logits are the same, bit for bit, alone and among others,
// and with a vector asked for beside them.
func TestLogitsAlone(t *testing.T) {
	t.Parallel()
	e := openTiny(t, filepath.Join(fixtures(t), "tiny", "bert_classifier"), Options{Threads: 2}, nil)
	b := randomBatch(rand.New(rand.NewPCG(7, 1)), e.spec, 5, 90, 17, 128)
	for i := range b.Out {
		b.Out[i].Logits = make([]float32, 3)
	}
	mustRun(t, e, b)
	for i := range b.Len() {
		alone := subset(b, []int{i})
		alone.Out[0] = model.Output{Logits: make([]float32, 3)}
		mustRun(t, e, alone)
		if !slices.Equal(alone.Out[0].Logits, b.Out[i].Logits) {
			t.Errorf("sequence %d: %v alone, %v among others", i, alone.Out[0].Logits, b.Out[i].Logits)
		}
	}
	b.Out[1].Logits = make([]float32, 2)
	if err := e.Run(t.Context(), b); err == nil {
		t.Error("two values for three labels were taken")
	}
}
