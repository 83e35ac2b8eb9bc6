package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// product is x·Wᵀ + bias + add in float64, with the error bound of each element.
func product(x, w Matrix, bias []float32, add Matrix) (want, bound []float64) {
	for r := range x.Rows {
		for n := range w.Rows {
			sum, magnitude := 0.0, 0.0
			term := func(v float64) { sum += v; magnitude += math.Abs(v) }
			for k, v := range x.Row(r) {
				term(float64(v) * float64(w.Row(n)[k]))
			}
			if bias != nil {
				term(float64(bias[n]))
			}
			if add.Data != nil {
				term(float64(add.Row(r)[n]))
			}
			want, bound = append(want, sum), append(bound, sumBound(x.Cols, magnitude))
		}
	}
	return want, bound
}

// flat copies a matrix without its gaps.
func flat(m Matrix) []float32 {
	var x []float32
	for r := range m.Rows {
		x = append(x, m.Row(r)...)
	}
	return x
}

func TestLinear(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(1, 1))
		core := s.NewCore()
		for _, d := range s.allDTypes() {
			for rows := range 27 {
				for _, in := range []int{0, 1, 2, 3, 4, 5, 7, 8, 33} {
					for _, out := range []int{1, 16, 17, 64, 65} {
						if err := tryLinear(core, r, d, rows, in, out); err != nil {
							t.Fatalf("%s, %d rows, %d inputs, %d outputs: %v", d, rows, in, out, err)
						}
					}
				}
			}
		}
	})
}

func tryLinear(core *Core, r *rand.Rand, d DType, rows, in, out int) error {
	x, _ := newMatrix(r, rows, in, r.IntN(20), r.IntN(16))
	if d == Int8GELU {
		for i := range x.Rows {
			mapRows(x.Row(i), 1, in, in, exactGELU)
		}
	}
	w, _ := newMatrix(r, out, in, 0, 0)
	dst, alive := newMatrix(r, rows, out, r.IntN(20), r.IntN(16))
	bias := newBuffer(r, out, r.IntN(16)).x
	if r.IntN(3) == 0 {
		bias = nil
	}
	packed, prepared := core.set.Pack(nil, w, bias, d), prepare(core.set, x, d)
	core.Linear(dst, prepared, packed, Identity)
	x, w = roundedOperands(core.set, x, w, d)
	want, bound := product(x, w, bias, Matrix{})
	if err := firstOf(within(flat(dst), want, bound), alive()); err != nil {
		return fmt.Errorf("Linear: %w", err)
	}
	want, bound = product(x, w, bias, dst)
	core.LinearAdd(dst, prepared, packed, dst)
	if err := firstOf(within(flat(dst), want, bound), alive()); err != nil {
		return fmt.Errorf("LinearAdd: %w", err)
	}
	return nil
}

func prepare(s *Set, x Matrix, d DType) *Activations {
	a := &Activations{}
	s.Prepare(a, x, d)
	return a
}

// roundedOperands are inputs and weights as a dtype keeps them at a level.
func roundedOperands(s *Set, x, w Matrix, d DType) (Matrix, Matrix) {
	w = roundedWeights(s, w, d)
	if d != Int8GELU {
		return rounded(x, d), w
	}
	// Bytes stand for x + 0.17, and 0.17·w is taken off again.
	shifted, twice := NewMatrix(make([]float32, 2*x.Rows*x.Cols), x.Rows, 2*x.Cols), NewMatrix(make([]float32, 2*w.Rows*w.Cols), w.Rows, 2*w.Cols)
	for i := range x.Rows {
		row := shifted.Row(i)
		for j, v := range x.Row(i) {
			row[j], row[x.Cols+j] = v+0.17, -0.17
		}
		for part := row[:x.Cols]; len(part) > 0; part = part[min(512, len(part)):] {
			roundInt(part[:min(512, len(part))], x.Row(i)[x.Cols-len(part):][:min(512, len(part))], 0.17, 255)
		}
	}
	for i := range w.Rows {
		copy(twice.Row(i), w.Row(i))
		copy(twice.Row(i)[w.Cols:], w.Row(i))
	}
	return shifted, twice
}

func roundedWeights(s *Set, w Matrix, d DType) Matrix {
	switch {
	case d != Int8 && d != Int8GELU:
		return rounded(w, d)
	case !s.narrowSums():
		return rounded(w, Int8)
	}
	y := NewMatrix(flat(w), w.Rows, w.Cols)
	for i := range y.Rows {
		for row := y.Row(i); len(row) > 0; row = row[min(512, len(row)):] {
			part := row[:min(512, len(row))]
			roundInt(part, []float32{max(largestGeneric(part), largestSum(part)*(127.0/126))}, 0, 127)
		}
	}
	return y
}

// rounded is x as a dtype keeps it.
func rounded(x Matrix, d DType) Matrix {
	y := NewMatrix(flat(x), x.Rows, x.Cols)
	switch d {
	case BFloat16:
		for i, v := range y.Data {
			y.Data[i] = nearestBF16(v)
		}
	case Int16, Int8:
		levels := map[DType]float32{Int16: 2047, Int8: 127}[d]
		for i := range y.Rows {
			for row := y.Row(i); len(row) > 0; row = row[min(512, len(row)):] {
				part := row[:min(512, len(row))]
				roundInt(part, part, 0, levels)
			}
		}
	}
	return y
}

// roundInt rounds x to multiples of a unit of which as many as levels reach from 0 to
// the largest magnitude in of, and shift beyond.
func roundInt(x, of []float32, shift, levels float32) {
	largest := float32(0)
	for _, v := range of {
		largest = max(largest, v, -v)
	}
	if largest+shift == 0 {
		return // zeros are what they are
	}
	scale, inverse := (largest+shift)/levels, levels/(largest+shift)
	for i, v := range x {
		x[i] = scale * float32(math.RoundToEven(float64(v*inverse)))
	}
}

// nearestBF16 finds the nearer of the two neighbours of v; of two equally near the
// one whose last bit is 0.
func nearestBF16(v float32) float32 {
	down := math.Float32bits(v) &^ 0xffff
	below, above := float64(math.Float32frombits(down)), float64(math.Float32frombits(down+1<<16))
	toBelow, toAbove := math.Abs(float64(v)-below), math.Abs(above-float64(v))
	if toBelow < toAbove || toBelow == toAbove && down>>16&1 == 0 {
		return float32(below)
	}
	return float32(above)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestLinearLong holds the bound where sums are as long as a model's.
func TestLinearLong(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		for _, d := range s.allDTypes() {
			if err := tryLinear(s.NewCore(), rand.New(rand.NewPCG(1, 2)), d, 13, 1537, 100); err != nil {
				t.Errorf("%s: %v", d, err)
			}
		}
	})
}

func TestLinearActivations(t *testing.T) {
	t.Parallel()
	functions := map[Activation]func(x float64) float64{
		Identity:  func(x float64) float64 { return x },
		GELU:      exactGELU,
		GELUTanh:  geluTanh,
		SiLU:      func(x float64) float64 { return x / (1 + math.Exp(-x)) },
		QuickGELU: func(x float64) float64 { return x * (1 + math.Tanh(0.851*x)) / 2 },
		Mish:      func(x float64) float64 { n := math.Exp(x) * (math.Exp(x) + 2); return x * n / (n + 2) },
		ReLU:      func(x float64) float64 { return math.Max(x, 0) },
		Tanh:      math.Tanh,
	}
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(1, 3))
		core := s.NewCore()
		x, _ := newMatrix(r, 7, 5, 0, 0)
		w, _ := newMatrix(r, 70, 5, 0, 0)
		packed := s.Pack(nil, w, nil, Float32)
		for a, f := range functions {
			dst, alive := newMatrix(r, 7, 70, 3, 1)
			core.Linear(dst, prepare(s, x, Float32), packed, a)
			want, bound := product(x, w, nil, Matrix{})
			for i := range want {
				want[i], bound[i] = f(want[i]), 1.2*bound[i]+geluBound+2*unit*math.Abs(f(want[i]))
			}
			if err := firstOf(within(flat(dst), want, bound), alive()); err != nil {
				t.Errorf("activation %d: %v", a, err)
			}
		}
	})
}

// TestRowsAreIndependent: whatever rows a row is computed with, its bits are the same.
func TestRowsAreIndependent(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		for _, d := range s.allDTypes() {
			r := rand.New(rand.NewPCG(1, 4))
			core := s.NewCore()
			const rows, in, out = 29, 50, 150
			x, _ := newMatrix(r, rows, in, 0, 0)
			w, _ := newMatrix(r, out, in, 0, 0)
			packed := s.Pack(nil, w, newBuffer(r, out, 0).x, d)
			all, _ := newMatrix(r, rows, out, 0, 0)
			core.Linear(all, prepare(s, x, d), packed, GELU)
			for from := range rows {
				to := from + 1 + r.IntN(rows-from)
				some, _ := newMatrix(r, to-from, out, 5, 3)
				core.Linear(some, prepare(s, x.RowRange(from, to), d), packed, GELU)
				if err := sameBits(flat(some), flat(all.RowRange(from, to))); err != nil {
					t.Fatalf("%s, rows %d to %d: %v", d, from, to-1, err)
				}
			}
		}
	})
}

// TestManyRows: where a product's rows take several calls, they are those of each call.
func TestManyRows(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		if s.Level() == Generic {
			return // it goes row by row
		}
		r := rand.New(rand.NewPCG(1, 5))
		core := s.NewCore()
		const rows, part, in, out = 530, 25, 4096, 64
		x, _ := newMatrix(r, rows, in, 0, 0)
		w, _ := newMatrix(r, out, in, 0, 0)
		for _, d := range s.allDTypes() {
			packed := s.Pack(nil, w, nil, d)
			all, alive := newMatrix(r, rows, out, 3, 1)
			core.LinearAdd(all, prepare(s, x, d), packed, x.ColumnRange(0, out))
			for from := 0; from < rows; from += part {
				to := min(from+part, rows)
				some, _ := newMatrix(r, to-from, out, 0, 0)
				core.LinearAdd(some, prepare(s, x.RowRange(from, to), d), packed, x.RowRange(from, to).ColumnRange(0, out))
				if err := firstOf(sameBits(flat(some), flat(all.RowRange(from, to))), alive()); err != nil {
					t.Fatalf("%s, rows %d to %d: %v", d, from, to-1, err)
				}
			}
		}
	})
}

// TestProductBoundSeesMistakes: the bound rejects what a broken tile would return.
func TestProductBoundSeesMistakes(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 5))
	const rows, in, out = 6, 40, 20
	x, _ := newMatrix(r, rows, in, 0, 0)
	w, _ := newMatrix(r, out, in, 0, 0)
	want, bound := product(x, w, nil, Matrix{})
	dst, _ := newMatrix(r, rows, out, 0, 0)
	s := generic()
	s.NewCore().Linear(dst, prepare(s, x, Float32), s.Pack(nil, w, nil, Float32), Identity)
	right := flat(dst)
	if err := within(right, want, bound); err != nil {
		t.Fatal(err)
	}
	swapped := append(append(append([]float32{}, right[out:2*out]...), right[:out]...), right[2*out:]...)
	nudged := append([]float32{}, right...)
	nudged[7] += 1e-4
	for name, wrong := range map[string][]float32{"zeros": make([]float32, rows*out), "two rows swapped": swapped, "one element off by 1e-4": nudged} {
		if within(wrong, want, bound) == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func TestOverrunIsSeen(t *testing.T) {
	t.Parallel()
	m, alive := newMatrix(rand.New(rand.NewPCG(1, 6)), 3, 4, 2, 5)
	if err := alive(); err != nil {
		t.Fatal(err)
	}
	m.Data[4] = 0
	if alive() == nil {
		t.Error("a write between two rows went unseen")
	}
	b := newBuffer(rand.New(rand.NewPCG(1, 7)), 5, 3)
	b.whole[border+3-1] = 0
	if b.overrun() == nil {
		t.Error("a write before the buffer went unseen")
	}
}

func TestLinearRefusesWrongShapes(t *testing.T) {
	t.Parallel()
	s := generic()
	core, w := s.NewCore(), s.Pack(nil, NewMatrix(make([]float32, 12), 3, 4), nil, Float32)
	m := func(rows, cols int) Matrix { return NewMatrix(make([]float32, rows*cols), rows, cols) }
	in := func(rows, cols int) *Activations { return prepare(s, m(rows, cols), Float32) }
	other := &Weights{dtype: Float32, in: 4, out: 3, steps: 4, cols: 5}
	for name, f := range map[string]func(){
		"inputs":        func() { core.Linear(m(2, 3), in(2, 5), w, Identity) },
		"outputs":       func() { core.Linear(m(2, 4), in(2, 4), w, Identity) },
		"rows":          func() { core.Linear(m(2, 3), in(1, 4), w, Identity) },
		"residual":      func() { core.LinearAdd(m(2, 3), in(2, 4), w, m(1, 3)) },
		"layout":        func() { core.Linear(m(2, 3), in(2, 4), other, Identity) },
		"dtype":         func() { core.Linear(m(2, 3), prepare(s, m(2, 4), BFloat16), w, Identity) },
		"first column":  func() { w.Columns(1, 3) },
		"biases":        func() { s.Pack(nil, m(3, 4), make([]float32, 4), Float32) },
		"unknown dtype": func() { s.Pack(nil, m(3, 4), nil, "int3") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("wrong %s went through", name)
				}
			}()
			f()
		}()
	}
}

// TestBalance: a layer whose columns are divided by the balance, on inputs multiplied
// by it, is the layer; and rounded to few bits it is nearer than without where one
// column is far larger than the others.
func TestBalance(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		const rows, in, out, large = 5, 40, 70, 200
		for _, d := range s.DTypes()[1:] {
			r := rand.New(rand.NewPCG(6, 1))
			x, _ := newMatrix(r, rows, in, 3, 0)
			w, _ := newMatrix(r, out, in, 0, 0)
			balance := slices.Repeat([]float32{1}, in)
			balance[7] = large
			divided := NewMatrix(flat(w), out, in)
			for i := range w.Rows {
				w.Row(i)[7] *= large
			}
			for i := range x.Rows {
				x.Row(i)[7] /= large
			}
			want, _ := product(x, w, nil, Matrix{})
			core := s.NewCore()
			distance := func(w *Weights) (sum float64) {
				var prepared Activations
				dst := NewMatrix(make([]float32, rows*out), rows, out)
				s.PrepareFor(&prepared, x, w)
				core.Linear(dst, &prepared, w, Identity)
				for i, v := range dst.Data {
					sum += math.Abs(float64(v) - want[i])
				}
				return sum
			}
			plain, balanced := distance(s.Pack(nil, w, nil, d)), distance(s.Pack(nil, divided, nil, d).Balanced(balance))
			if d == BFloat16 && balanced > 2*plain || d != BFloat16 && balanced > plain/3 {
				t.Errorf("%s: off by %g with a balance, %g without", d, balanced, plain)
			}
		}
	})
}
