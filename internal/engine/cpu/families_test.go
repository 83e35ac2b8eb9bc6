package cpu

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// tinyFamilies are the fixtures of the families beside BERT, each with mistakes that
// its reference vectors must show.
var tinyFamilies = map[string]map[string]func(*model.Spec){
	"distilbert":  {"no activation": func(s *model.Spec) { s.Layers[0].FFN.Activation = model.Identity }},
	"roberta":     {"positions from 0": countFromZero},
	"xlm_roberta": {"positions from 0": countFromZero},
	"mpnet": {
		"no relative bias": func(s *model.Spec) { s.RelativeBias = model.RelativeBias{} },
		"farther buckets":  func(s *model.Spec) { s.RelativeBias.MaxDistance = 256 },
		"positions from 0": countFromZero,
	},
	"modernbert": {
		"a wider window":   eachLayer(func(l *model.Layer) { l.Window += min(l.Window, 1) }),
		"one base for all": eachLayer(func(l *model.Layer) { l.RotaryTheta = 10_000 }),
		"all layers local": eachLayer(func(l *model.Layer) { l.Window = 16 }),
		"gate and up":      eachLayer(swapGate),
	},
	"nomic_bert":     {"another base": eachLayer(func(l *model.Layer) { l.RotaryTheta = 10_000 })},
	"nomic_bert_hub": {"gate and up": eachLayer(swapGate)},
	"gte":            {"halved angles": eachLayer(func(l *model.Layer) { l.RotaryDivisor = 2 })},
	"qwen3": {
		"attention both ways":  eachLayer(func(l *model.Layer) { l.Causal = false }),
		"no norms of heads":    eachLayer(func(l *model.Layer) { l.QueryNorm, l.KeyNorm = model.Norm{}, model.Norm{} }),
		"the first token":      func(s *model.Spec) { s.Pooling = []model.PoolingMode{model.PoolCLS} },
		"a norm with its mean": func(s *model.Spec) { s.FinalNorm.RMS = false },
	},
	"gemma3_causal": {
		"attention both ways": eachLayer(func(l *model.Layer) { l.Causal = false }),
		"a wider window":      eachLayer(func(l *model.Layer) { l.Window += min(l.Window, 1) }),
		"scores by width":     func(s *model.Spec) { s.ScoreScale = 0 },
	},
	"embedding_gemma": {
		"a wider window":      eachLayer(func(l *model.Layer) { l.Window += min(l.Window, 1) }),
		"the whole window":    eachLayer(func(l *model.Layer) { l.Window *= 2 }),
		"unscaled tokens":     func(s *model.Spec) { s.Embedding.Scale = 0 },
		"weights not from 1":  eachLayer(func(l *model.Layer) { l.PreFFN.FromOne = false }),
		"no norms of results": eachLayer(func(l *model.Layer) { l.FFNResult = model.Norm{} }),
	},
	"static_embedding": {"the first token": func(s *model.Spec) { s.Pooling = []model.PoolingMode{model.PoolCLS} }},
}

func countFromZero(s *model.Spec) { s.Embedding.FirstPosition = 0 }

func swapGate(l *model.Layer) { l.FFN.Up, l.FFN.Gate = l.FFN.Gate, l.FFN.Up }

func eachLayer(change func(*model.Layer)) func(*model.Spec) {
	return func(s *model.Spec) {
		for i := range s.Layers {
			change(&s.Layers[i])
		}
	}
}

// TestFamilies compares with sentence-transformers at every level.
func TestFamilies(t *testing.T) {
	t.Parallel()
	root := fixtures(t)
	for name := range tinyFamilies {
		for _, level := range kernel.Levels() {
			t.Run(name+"/"+string(level), func(t *testing.T) {
				t.Parallel()
				if raceEnabled && level != kernel.AVX2 {
					t.Skip("the race detector makes this slow, and sees the same in one level as in all")
				}
				dir := filepath.Join(root, "tiny", name)
				var want expected
				readJSON(t, filepath.Join(dir, "expected.json"), &want)
				e := openTiny(t, dir, Options{Threads: 2, Level: level, DType: "float32"}, nil)
				if d := worstOf(t, e, &want); !(d <= tinyTolerance) {
					t.Errorf("largest difference %g", d)
				}
				testHidden(t, e, &want)
			})
		}
	}
}

// worstOf is the largest difference to the reference vectors.
func worstOf(t *testing.T, e *Engine, want *expected) float64 {
	worst := 0.0
	for i, v := range embedAll(t, e, want.InputIDs) {
		if lengthOf(want.Embeddings[i]) < 1.0001 && lengthOf(want.Embeddings[i]) > 0.9999 {
			e.set.Normalize(v) // the pipeline's last step, where the model has it
		}
		if d := maxDifference(v, want.Embeddings[i]); !(d <= worst) {
			worst = d
		}
	}
	return worst
}

func lengthOf(x []float32) float32 {
	set, _ := kernel.Open(kernel.Generic)
	return set.Norm(x)
}

// TestFamiliesSeeMistakes: each mistake of structure moves some vector visibly.
func TestFamiliesSeeMistakes(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("vectors say nothing about races")
	}
	root := fixtures(t)
	for name, mistakes := range tinyFamilies {
		dir := filepath.Join(root, "tiny", name)
		var want expected
		readJSON(t, filepath.Join(dir, "expected.json"), &want)
		for mistake, change := range mistakes {
			if d := worstOf(t, openTiny(t, dir, Options{DType: "float32"}, change), &want); d < 1e-3 {
				t.Errorf("%s with %s: largest difference only %g", name, mistake, d)
			}
		}
	}
}

// TestFamiliesBatchInvariance: in every family a sequence's vector is the same, bit
// for bit, alone and among others, in every arithmetic of the machine's best level.
func TestFamiliesBatchInvariance(t *testing.T) {
	t.Parallel()
	root := fixtures(t)
	all := arithmetics(t)
	best := all[len(all)-1].Level
	for name := range tinyFamilies {
		for _, o := range all {
			if o.Level != best || raceEnabled && o.DType != string(kernel.Float32) {
				continue
			}
			t.Run(name+"/"+o.DType, func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(root, "tiny", name)
				o.Threads = 1
				alone := openTiny(t, dir, o, nil)
				o.Threads = 3
				together := openTiny(t, dir, o, nil)
				r := rand.New(rand.NewPCG(6, 1))
				limit := min(alone.spec.MaxPositions, 600)
				b := randomBatch(r, alone.spec, 1, 2, limit, 17, limit-1, 40, 1, 65)
				for i := range b.Len() {
					mustRun(t, alone, subset(b, []int{i}))
				}
				for range 3 {
					checkSame(t, together, b, r.Perm(b.Len()))
				}
			})
		}
	}
}

// TestFamiliesLimit: one token more than there are positions is refused.
func TestFamiliesLimit(t *testing.T) {
	t.Parallel()
	root := fixtures(t)
	for name := range tinyFamilies {
		e := openTiny(t, filepath.Join(root, "tiny", name), Options{Threads: 1}, nil)
		b := randomBatch(rand.New(rand.NewPCG(6, 2)), e.spec, e.spec.MaxPositions+1)
		if err := e.Run(t.Context(), b); err == nil {
			t.Errorf("%s: a sequence of %d tokens was taken", name, e.spec.MaxPositions+1)
		}
	}
}

// TestBucket holds the buckets to those that transformers' relative_position_bucket
// gives for 32 buckets, by distance key - query.
func TestBucket(t *testing.T) {
	t.Parallel()
	b := &model.RelativeBias{Buckets: 32, MaxDistance: 128}
	var got []int
	for _, distance := range []int{0, -1, -7, -8, -11, -12, -15, -16, -22, -23, -31, -32, -63, -64, -90, -91, -127, -128, -500, 1, 7, 8, 12, 128, 511} {
		got = append(got, bucket(b, distance))
	}
	want := []int{0, 1, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 13, 14, 14, 15, 15, 15, 15, 17, 23, 24, 25, 31, 31}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
