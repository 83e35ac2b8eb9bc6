package cpu

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/model"
)

// TestNarrow: a vector is the same, bit for bit, whether the last layer computes the row that
// it is made of or, since all hidden states are asked for as well, every one.
func TestNarrow(t *testing.T) {
	t.Parallel()
	tiny := filepath.Join(fixtures(t), "tiny")
	families := []string{filepath.Join("..", "..", "..", "testdata", "tiny", "experts")}
	for _, name := range []string{"bert", "modernbert", "qwen3"} {
		families = append(families, filepath.Join(tiny, name))
	}
	poolings := [][]model.PoolingMode{{model.PoolCLS}, {model.PoolLast}, {model.PoolCLS, model.PoolLast}, {model.PoolCLS, model.PoolCLS}, {model.PoolMean}}
	for _, family := range families {
		for _, pooling := range poolings {
			for _, o := range arithmetics(t)[1:] {
				if raceEnabled && o.DType != "float32" {
					continue
				}
				for _, o.Threads = range []int{1, 2} {
					e := openTiny(t, family, o, func(s *model.Spec) { s.Pooling = pooling })
					if err := sameNarrowed(t, e); err != nil {
						t.Errorf("%s, pooling %v, %s %s, %d threads: %v", filepath.Base(family), pooling, o.Level, o.DType, o.Threads, err)
					}
				}
			}
		}
	}
}

// TestNarrowByTeams does the same where the block's steps are shared.
func TestNarrowByTeams(t *testing.T) {
	t.Parallel()
	spec, tensors := randomModel(shape{vocab: 100, positions: 128, hidden: 384, heads: 12, inner: 1536, layers: 2}, 3)
	spec.Pooling = []model.PoolingMode{model.PoolCLS}
	for _, o := range arithmetics(t)[1:] {
		if raceEnabled && o.DType != "float32" {
			continue
		}
		o.Threads = 3
		e, err := New(spec, tensors, o)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if err := sameNarrowed(t, e); err != nil {
			t.Errorf("%s %s: %v", o.Level, o.DType, err)
		}
	}
}

// sameNarrowed compares vectors with those of the same sequences whose tokens are asked for.
func sameNarrowed(t *testing.T, e *Engine) error {
	r := rand.New(rand.NewPCG(9, 1))
	for _, lengths := range [][]int{{1}, {12}, {5, 1, 40, 17, 33, 2, 90}} {
		some, all := randomBatch(r, e.spec, lengths...), &model.Batch{}
		for i, n := range lengths {
			some.Skip[i] = int32(r.IntN(n))
			all.Append(some.Sequence(i), nil, int(some.Skip[i]), model.Output{
				Vector: make([]float32, e.spec.Dim()), Tokens: make([]float32, n*e.spec.Hidden),
			})
		}
		mustRun(t, e, some)
		mustRun(t, e, all)
		for i := range lengths {
			if err := sameVector(some.Out[i].Vector, all.Out[i].Vector); err != nil {
				return fmt.Errorf("sequence %d of %v tokens: %w", i, lengths, err)
			}
		}
	}
	return nil
}

func sameVector(got, want []float32) error {
	for i := range want {
		if got[i] != want[i] {
			return fmt.Errorf("element %d is %v, and %v beside all tokens", i, got[i], want[i])
		}
	}
	return nil
}

// TestRowsRead says which rows are left for which outputs of sequences of 3, 1 and 4 tokens.
func TestRowsRead(t *testing.T) {
	t.Parallel()
	vector, logits := []float32{1}, []float32{2}
	cls, last, mean := []model.PoolingMode{model.PoolCLS}, []model.PoolingMode{model.PoolLast}, []model.PoolingMode{model.PoolMean}
	for name, c := range map[string]struct {
		pooling []model.PoolingMode
		labels  model.PoolingMode
		out     model.Output
		skip    int32
		mix     []float32
		want    []int
	}{
		"the first token":                   {pooling: cls, out: model.Output{Vector: vector}, want: []int{0, 3, 4}},
		"the first behind a prompt":         {pooling: cls, out: model.Output{Vector: vector}, skip: 2, want: []int{2, 3, 6}},
		"the last":                          {pooling: last, out: model.Output{Vector: vector}, skip: 1, want: []int{2, 3, 7}},
		"the mean":                          {pooling: mean, out: model.Output{Vector: vector}},
		"first and last":                    {pooling: append(cls[:1:1], last...), out: model.Output{Vector: vector}},
		"a mean of layers":                  {pooling: cls, out: model.Output{Vector: vector}, mix: []float32{1}},
		"all tokens too":                    {pooling: cls, out: model.Output{Vector: vector, Tokens: vector}},
		"logits":                            {pooling: mean, labels: model.PoolCLS, out: model.Output{Logits: logits}, want: []int{0, 3, 4}},
		"logits of the mean":                {pooling: cls, labels: model.PoolMean, out: model.Output{Logits: logits}},
		"both of the first":                 {pooling: cls, labels: model.PoolCLS, out: model.Output{Vector: vector, Logits: logits}, want: []int{0, 3, 4}},
		"both, one of them behind a prompt": {pooling: cls, labels: model.PoolCLS, out: model.Output{Vector: vector, Logits: logits}, skip: 1},
		"logits beside a mean":              {pooling: mean, labels: model.PoolCLS, out: model.Output{Vector: vector, Logits: logits}},
	} {
		w := &worker{spec: &model.Spec{Pooling: c.pooling, Classifier: model.Classifier{Pooling: c.labels}, LayerMix: c.mix}}
		b := &model.Batch{}
		for _, n := range []int{9, 3, 1, 4} {
			b.Append(make([]int32, n), nil, int(c.skip), c.out)
		}
		if got := w.rowsRead(nil, b, block{1, 4}); !slices.Equal(got, c.want) {
			t.Errorf("%s: rows %v, should be %v", name, got, c.want)
		}
	}
}

// BenchmarkNarrow embeds blocks of sequences with weights of MiniLM-L6's shape, by turns pooled
// by the mean and by the first token: how much quicker the second is, a CPU-second.
func BenchmarkNarrow(b *testing.B) {
	var engines [2]*Engine
	for i, mode := range []model.PoolingMode{model.PoolMean, model.PoolCLS} {
		spec, tensors := randomModel(miniLM, 1)
		spec.Pooling = []model.PoolingMode{mode}
		e, err := New(spec, tensors, Options{Threads: 1})
		if err != nil {
			b.Fatal(err)
		}
		defer e.Close()
		engines[i] = e
	}
	for _, tokens := range []int{12, 68, 256} {
		batch := randomBatch(rand.New(rand.NewPCG(1, 1)), engines[0].spec, slices.Repeat([]int{tokens}, blockTokens/tokens)...)
		b.Run(strconv.Itoa(tokens), func(b *testing.B) {
			var used [2]time.Duration
			for b.Loop() {
				for i, e := range engines {
					began := cpuTime(b)
					mustRun(b, e, batch)
					used[i] += cpuTime(b) - began
				}
			}
			b.ReportMetric(used[0].Seconds()/used[1].Seconds(), "times")
		})
	}
}
