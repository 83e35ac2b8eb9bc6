package cpu

import (
	"math"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// poolers fill dst from the hidden states x of one sequence, of which the first
// skip (fewer than all) do not count. The modes are sentence-transformers'.
var poolers = map[model.PoolingMode]func(set *kernel.Set, dst []float32, x kernel.Matrix, skip int){
	model.PoolCLS: func(_ *kernel.Set, dst []float32, x kernel.Matrix, skip int) {
		copy(dst, x.Row(skip))
	},
	model.PoolLast: func(_ *kernel.Set, dst []float32, x kernel.Matrix, _ int) {
		copy(dst, x.Row(x.Rows-1))
	},
	model.PoolMax: poolMax,
	model.PoolMean: func(set *kernel.Set, dst []float32, x kernel.Matrix, skip int) {
		poolSum(set, dst, x, skip)
		set.Scale(dst, 1/float32(x.Rows-skip))
	},
	model.PoolMeanSqrt: func(set *kernel.Set, dst []float32, x kernel.Matrix, skip int) {
		poolSum(set, dst, x, skip)
		set.Scale(dst, float32(1/math.Sqrt(float64(x.Rows-skip))))
	},
	model.PoolWeightedMean: poolWeightedMean,
}

func poolSum(set *kernel.Set, dst []float32, x kernel.Matrix, skip int) {
	copy(dst, x.Row(skip))
	for i := skip + 1; i < x.Rows; i++ {
		set.Add(dst, x.Row(i))
	}
}

func poolMax(_ *kernel.Set, dst []float32, x kernel.Matrix, skip int) {
	copy(dst, x.Row(skip))
	for i := skip + 1; i < x.Rows; i++ {
		for j, v := range x.Row(i) {
			dst[j] = max(dst[j], v)
		}
	}
}

// poolWeightedMean weighs a token by its place in the sequence, from 1, whether or
// not tokens before it are skipped.
func poolWeightedMean(set *kernel.Set, dst []float32, x kernel.Matrix, skip int) {
	clear(dst)
	var total float32
	for i := skip; i < x.Rows; i++ {
		weight := float32(i + 1)
		for j, v := range x.Row(i) {
			dst[j] += weight * v
		}
		total += weight
	}
	set.Scale(dst, 1/total)
}

// emit writes what was asked for of sequence i, whose last hidden states are x.
func (w *worker) emit(b *model.Batch, i int, x kernel.Matrix) {
	out := b.Out[i]
	if out.Tokens != nil {
		copy(out.Tokens, x.Data)
	}
	if out.Logits != nil {
		w.classify(out.Logits, x)
	}
	if out.Vector == nil {
		return
	}
	if x.Rows == 0 {
		clear(out.Vector)
		return
	}
	if !w.spec.Splade.IsZero() {
		w.weigh(out.Vector, x)
		return
	}
	skip := min(skipped(b, i), x.Rows-1) // one row is what a pooling reads
	if len(w.weights.dense) == 0 {
		w.pool(out.Vector, x, skip)
		return
	}
	w.scratch.pooled = resize(w.scratch.pooled, len(w.spec.Pooling)*w.spec.Hidden)
	w.pool(w.scratch.pooled, x, skip)
	w.project(out.Vector)
}

// skipped is how many of a sequence's tokens pooling leaves out, never all.
func skipped(b *model.Batch, i int) int {
	if len(b.Skip) == 0 {
		return 0
	}
	return min(int(b.Skip[i]), len(b.Sequence(i))-1)
}

// pool concatenates the poolings.
func (w *worker) pool(dst []float32, x kernel.Matrix, skip int) {
	for n, mode := range w.spec.Pooling {
		poolers[mode](w.set, dst[n*x.Cols:(n+1)*x.Cols], x, skip)
	}
}

// project applies the dense modules to the pooled vector.
func (w *worker) project(dst []float32) {
	s := &w.scratch
	for i := range w.weights.dense {
		d := &w.weights.dense[i]
		if d.linear != nil {
			s.projected = resize(s.projected, d.linear.Out())
			w.apply(d, s.projected, s.pooled)
			s.pooled, s.projected = s.projected, s.pooled
		}
		if d.sigmoid {
			sigmoid(s.pooled)
		}
		w.normalize(&d.norm, kernel.NewMatrix(s.pooled, 1, len(s.pooled)))
	}
	copy(dst, s.pooled)
}

// apply computes one dense layer of one vector, in float32.
func (w *worker) apply(d *dense, dst, x []float32) {
	in := &w.scratch.in
	w.set.Prepare(in, kernel.NewMatrix(x, 1, d.linear.In()), kernel.Float32)
	w.core.Linear(kernel.NewMatrix(dst, 1, d.linear.Out()), in, d.linear, d.activation)
}

func sigmoid(x []float32) {
	for i, v := range x {
		x[i] = float32(1 / (1 + math.Exp(-float64(v))))
	}
}

func resize[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}
