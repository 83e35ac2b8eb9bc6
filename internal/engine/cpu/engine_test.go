package cpu

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small is a model whose widths fill no register and no panel evenly.
var small = shape{vocab: 97, positions: 300, hidden: 36, heads: 3, inner: 400, layers: 2}

func openRandom(t testing.TB, s shape, o Options) *Engine {
	t.Helper()
	spec, tensors := randomModel(s, 7)
	e, err := New(spec, tensors, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// TestBatchInvariance: whatever a sequence travels with, in whatever order, on any
// number of workers, its vector is the same, bit for bit.
func TestBatchInvariance(t *testing.T) {
	t.Parallel()
	for _, o := range arithmetics(t) {
		t.Run(string(o.Level)+"/"+o.DType, func(t *testing.T) {
			t.Parallel()
			if raceEnabled && o.Level == kernel.Generic {
				t.Skip("plain Go under the race detector takes a minute; the other levels share its drivers")
			}
			r := rand.New(rand.NewPCG(1, 1))
			o.Threads = 1
			alone := openRandom(t, small, o)
			lengths := []int{1, 1, 2, 300, 257, 5, 6, 7, 64}
			for range 12 {
				lengths = append(lengths, 1+r.IntN(60))
			}
			all := randomBatch(r, alone.spec, lengths...)
			for i := range all.Len() { // the reference: each by itself
				mustRun(t, alone, subset(all, []int{i}))
			}
			for _, o.Threads = range []int{1, 2, 5} {
				e := openRandom(t, small, o)
				for range 2 {
					checkSame(t, e, all, r.Perm(all.Len())[:1+r.IntN(all.Len())])
				}
			}
		})
	}
}

// subset is a batch of some of all's sequences that shares its outputs.
func subset(all *model.Batch, choice []int) *model.Batch {
	b := &model.Batch{}
	for _, i := range choice {
		b.Append(all.Sequence(i), nil, 0, all.Out[i])
	}
	return b
}

func checkSame(t *testing.T, e *Engine, all *model.Batch, choice []int) {
	t.Helper()
	b := subset(all, choice)
	for i := range b.Out {
		b.Out[i].Vector = make([]float32, e.spec.Dim())
	}
	mustRun(t, e, b)
	for i, n := range choice {
		if !slices.Equal(b.Out[i].Vector, all.Out[n].Vector) {
			t.Errorf("%d threads: the vector of a sequence of %d tokens differs among %d others", e.Threads(), len(all.Sequence(n)), len(choice)-1)
		}
	}
}

func mustRun(t testing.TB, e *Engine, b *model.Batch) {
	t.Helper()
	if err := e.Run(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

// TestLevelsAgree: every level's vectors are near the generic one's, at MiniLM's
// head size and at an odd one.
func TestLevelsAgree(t *testing.T) {
	t.Parallel()
	for _, s := range []shape{small, {vocab: 50, positions: 520, hidden: 128, heads: 4, inner: 512, layers: 3}} {
		reference := openRandom(t, s, Options{Level: kernel.Generic})
		b := randomBatch(rand.New(rand.NewPCG(1, 2)), reference.spec, 1, 7, 300, 33, 12)
		mustRun(t, reference, b)
		for _, level := range kernel.Levels()[1:] {
			e := openRandom(t, s, Options{Level: level, DType: "float32"})
			other := subset(b, []int{0, 1, 2, 3, 4})
			for i := range other.Out {
				other.Out[i].Vector = make([]float32, e.spec.Dim())
			}
			mustRun(t, e, other)
			for i := range other.Out {
				if d := maxDifference(other.Out[i].Vector, b.Out[i].Vector); !(d < 2e-4) {
					t.Errorf("level %s: sequence %d differs by %g", level, i, d)
				}
			}
		}
	}
}

func TestEmptyBatch(t *testing.T) {
	t.Parallel()
	e := openRandom(t, small, Options{})
	if err := e.Run(context.Background(), &model.Batch{}); err != nil {
		t.Error(err)
	}
}

// TestOutputsOnRequest: what nobody asked for is not written, tokens and vector agree.
func TestOutputsOnRequest(t *testing.T) {
	t.Parallel()
	e := openRandom(t, small, Options{})
	b := randomBatch(rand.New(rand.NewPCG(1, 3)), e.spec, 9, 9)
	copy(b.IDs[9:], b.IDs[:9])
	b.Out[1] = model.Output{Tokens: make([]float32, 9*small.hidden)}
	mustRun(t, e, b)
	for j := range small.hidden {
		mean := 0.0
		for i := range 9 {
			mean += float64(b.Out[1].Tokens[i*small.hidden+j]) / 9
		}
		if d := math.Abs(mean - float64(b.Out[0].Vector[j])); d > 1e-6 {
			t.Fatalf("column %d: the tokens' mean is %v, the vector has %v", j, mean, b.Out[0].Vector[j])
		}
	}
}

func TestSkip(t *testing.T) {
	t.Parallel()
	spec, tensors := randomModel(small, 7)
	spec.Pooling = []model.PoolingMode{model.PoolCLS, model.PoolMax, model.PoolMean, model.PoolMeanSqrt, model.PoolWeightedMean, model.PoolLast}
	e, err := New(spec, tensors, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	const n = 6
	for skip := range 9 { // at least one token is left, however many are skipped
		b := randomBatch(rand.New(rand.NewPCG(1, 4)), spec, n)
		b.Skip[0] = int32(skip)
		b.Out[0].Tokens = make([]float32, n*small.hidden)
		mustRun(t, e, b)
		want := poolByHand(b.Out[0].Tokens, min(skip, n-1), small.hidden)
		if d := maxDifference(b.Out[0].Vector, want); !(d < 1e-5) {
			t.Errorf("skip %d: largest difference %g", skip, d)
		}
	}
}

// poolByHand concatenates the poolings in TestSkip's order, column by column.
func poolByHand(tokens []float32, skip, width int) []float32 {
	out := make([]float32, 6*width)
	n := len(tokens) / width
	for j := range width {
		largest, sum, weighted, weights := math.Inf(-1), 0.0, 0.0, 0.0
		for i := skip; i < n; i++ {
			v := float64(tokens[i*width+j])
			largest = math.Max(largest, v)
			sum += v
			weighted += float64(i+1) * v
			weights += float64(i + 1)
		}
		count := float64(n - skip)
		values := []float64{float64(tokens[skip*width+j]), largest, sum / count, sum / math.Sqrt(count), weighted / weights, float64(tokens[(n-1)*width+j])}
		for m, v := range values {
			out[m*width+j] = float32(v)
		}
	}
	return out
}

func TestRunRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	e := openRandom(t, small, Options{Threads: 1})
	for name, c := range map[string]struct {
		spoil func(b *model.Batch)
		want  string
	}{
		"an id past the vocabulary": {func(b *model.Batch) { b.IDs[3] = 97 }, "id 97"},
		"a negative id":             {func(b *model.Batch) { b.IDs[0] = -1 }, "id -1"},
		"an unknown type":           {func(b *model.Batch) { b.Types = make([]uint8, 10); b.Types[9] = 2 }, "type 2"},
		"too few types":             {func(b *model.Batch) { b.Types = make([]uint8, 9) }, "9 token types"},
		"starts that go back":       {func(b *model.Batch) { b.Starts[1] = 11 }, "tokens"},
		"a start before the batch":  {func(b *model.Batch) { b.Starts[0] = -1 }, "Starts"},
		"starts past the batch":     {func(b *model.Batch) { b.Starts[2] = 11 }, "Starts"},
		"an empty sequence":         {func(b *model.Batch) { b.Starts[1] = 0 }, "0 tokens"},
		"a short vector":            {func(b *model.Batch) { b.Out[0].Vector = make([]float32, 35) }, "35 values"},
		"short tokens":              {func(b *model.Batch) { b.Out[1].Tokens = make([]float32, 35) }, "35 values"},
		"a negative skip":           {func(b *model.Batch) { b.Skip[1] = -1 }, "skip is -1"},
		"too few skips":             {func(b *model.Batch) { b.Skip = b.Skip[:1] }, "Skip"},
	} {
		b := randomBatch(rand.New(rand.NewPCG(1, 5)), e.spec, 4, 6)
		c.spoil(b)
		if err := e.Run(context.Background(), b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", name, err, c.want)
		}
	}
	long := randomBatch(rand.New(rand.NewPCG(1, 6)), e.spec, 301)
	if err := e.Run(context.Background(), long); err == nil || !strings.Contains(err.Error(), "at most 300") {
		t.Errorf("a sequence too long: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(spec *model.Spec, tensors tensorMap, o *Options)
		want  string
	}{
		"a missing tensor": {func(_ *model.Spec, t tensorMap, _ *Options) { delete(t, "layer1.up.weight") }, "layer1.up.weight of shape [400 36] is missing"},
		"a wrong shape": {func(_ *model.Spec, t tensorMap, _ *Options) {
			x := t["layer0.q.weight"]
			x.Shape = []int{18, 72}
			t["layer0.q.weight"] = x
		}, "layer0.q.weight: shape [18 72] has no rows 0 to 35"},
		"wrong columns": {func(_ *model.Spec, t tensorMap, _ *Options) {
			x := t["layer0.q.weight"]
			x.Shape = []int{36, 35}
			t["layer0.q.weight"] = x
		}, "layer0.q.weight: shape [36 35]; the model needs [36 36]"},
		"a wrong type": {func(_ *model.Spec, t tensorMap, _ *Options) {
			x := t["tokens"]
			x.DType = "I64"
			t["tokens"] = x
		}, "tokens: type I64"},
		"short data": {func(_ *model.Spec, t tensorMap, _ *Options) {
			x := t["norm.bias"]
			x.Data = x.Data[:36*4-4]
			t["norm.bias"] = x
		}, "norm.bias"},
		"a choice it has not": {func(s *model.Spec, _ tensorMap, _ *Options) { s.Pooling = []model.PoolingMode{"attention"} }, "pooling attention"},
		"a dtype it has not":  {func(_ *model.Spec, _ tensorMap, o *Options) { o.DType = "int3" }, "int3"},
		"a level it has not":  {func(_ *model.Spec, _ tensorMap, o *Options) { o.Level = "mmx" }, "mmx"},
		"negative threads":    {func(_ *model.Spec, _ tensorMap, o *Options) { o.Threads = -1 }, "-1"},
	} {
		spec, tensors := randomModel(small, 7)
		o := Options{Threads: 1}
		c.spoil(spec, tensors, &o)
		e, err := New(spec, tensors, o)
		if err == nil {
			e.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", name, err, c.want)
		}
	}
}

// TestStoredTypes: a checkpoint in half precision, at odd addresses, gives what its
// values widened to float32 give.
func TestStoredTypes(t *testing.T) {
	t.Parallel()
	for dtype, c := range converters {
		spec, tensors := randomModel(small, 7)
		widened := tensorMap{}
		for name, x := range tensors {
			stored := narrow(x, dtype)
			values := make([]float32, len(x.Data)/4)
			c.widen(values, stored.Data)
			tensors[name], widened[name] = stored, floats(values, x.Shape)
		}
		b := randomBatch(rand.New(rand.NewPCG(1, 7)), spec, 20, 3)
		runOnce(t, spec, widened, b)
		want := append([]float32{}, b.Out[0].Vector...)
		runOnce(t, spec, tensors, b)
		if !slices.Equal(want, b.Out[0].Vector) {
			t.Errorf("%s: the vector differs from that of the widened values", dtype)
		}
	}
}

func runOnce(t *testing.T, spec *model.Spec, tensors model.Tensors, b *model.Batch) {
	t.Helper()
	e, err := New(spec, tensors, Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	mustRun(t, e, b)
}

func TestConcurrentRuns(t *testing.T) {
	t.Parallel()
	e := openRandom(t, small, Options{Threads: 3})
	r := rand.New(rand.NewPCG(1, 8))
	var wg sync.WaitGroup
	for range 8 {
		first, again := randomBatch(r, e.spec, 30, 250, 1, 90, 255), &model.Batch{}
		wg.Go(func() {
			mustRun(t, e, first)
			again = subset(first, []int{0, 1, 2, 3, 4})
			for i := range again.Out {
				again.Out[i].Vector = make([]float32, e.spec.Dim())
			}
			mustRun(t, e, again)
			for i := range again.Out {
				if !slices.Equal(again.Out[i].Vector, first.Out[i].Vector) {
					t.Errorf("sequence %d differs between two runs", i)
				}
			}
		})
	}
	wg.Wait()
}

func TestClosedEngine(t *testing.T) {
	t.Parallel()
	e := openRandom(t, small, Options{Threads: 2})
	b := randomBatch(rand.New(rand.NewPCG(1, 9)), e.spec, 5)
	e.Close()
	e.Close() // twice is no harm
	if err := e.Run(context.Background(), b); !errors.Is(err, ErrClosed) {
		t.Errorf("Run after Close: %v", err)
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool drop what it holds, so allocations say nothing")
	}
	for _, o := range arithmetics(t)[min(1, len(kernel.Levels())-1):] { // the generic level only where there is no other
		o.Threads = 2
		e := openRandom(t, small, o)
		b := randomBatch(rand.New(rand.NewPCG(1, 10)), e.spec, 12, 200, 90, 1, 256)
		ctx, cancel := context.WithCancel(context.Background())
		for range 10 {
			if err := e.Run(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
		// A worker's first help sizes its scratch, and may come at any time.
		if n := testing.AllocsPerRun(100, func() { e.Run(ctx, b) }); n >= 1 {
			t.Errorf("%s at level %s: %v allocations a Run", o.DType, o.Level, n)
		}
		cancel()
	}
}

// TestDTypesKeepTheDirection: each low precision keeps the cosine to float32 that
// it promises, on random weights, which are harder on it than trained ones.
func TestDTypesKeepTheDirection(t *testing.T) {
	t.Parallel()
	least := map[string]float64{"float32": 0.999999, "bfloat16": 0.999, "int16": 0.999, "int8": 0.98}
	s := shape{vocab: 200, positions: 64, hidden: 192, heads: 6, inner: 768, layers: 6}
	reference := openRandom(t, s, Options{Level: kernel.Generic})
	b := randomBatch(rand.New(rand.NewPCG(1, 11)), reference.spec, 12, 32, 7, 1)
	mustRun(t, reference, b)
	for _, o := range arithmetics(t) {
		e := openRandom(t, s, o)
		other := subset(b, []int{0, 1, 2, 3})
		for i := range other.Out {
			other.Out[i].Vector = make([]float32, s.hidden)
		}
		mustRun(t, e, other)
		for i := range other.Out {
			if c := cosine(other.Out[i].Vector, b.Out[i].Vector); !(c >= least[o.DType]) {
				t.Errorf("%s at level %s: sequence %d has cosine %v to float32; least %v", o.DType, o.Level, i, c, least[o.DType])
			}
		}
	}
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

func TestDTypeChoice(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"": "float32", "auto": "float32", "float32": "float32", "int16": "int16"} {
		if e := openRandom(t, small, Options{Level: kernel.Generic, DType: name}); e.DType() != want {
			t.Errorf("dtype %q: %s; want %s", name, e.DType(), want)
		}
	}
	for _, level := range kernel.Levels() {
		set, err := kernel.Open(level)
		if err != nil {
			t.Fatal(err)
		}
		want := string(set.Best())
		e := openRandom(t, small, Options{Level: level})
		told, err := DType(Options{Level: level, DType: "auto"})
		if e.DType() != want || told != want || err != nil {
			t.Errorf("level %s chose %s and told %s, %v; want %s", level, e.DType(), told, err, want)
		}
	}
	spec, tensors := randomModel(small, 7)
	if _, err := New(spec, tensors, Options{Level: kernel.Generic, DType: "int4"}); err == nil || !strings.Contains(err.Error(), "bfloat16") {
		t.Errorf("a dtype that the level lacks: %v", err)
	}
}
