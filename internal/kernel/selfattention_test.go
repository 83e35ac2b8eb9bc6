package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// trySelfAttention compares the attention of a group over sequences of those lengths with
// a product and attention in float64.
func trySelfAttention(core *Core, r *rand.Rand, d DType, in int, h HeadGroup, lengths ...int) error {
	starts := []int32{int32(r.IntN(5))}
	for _, n := range lengths {
		starts = append(starts, starts[len(starts)-1]+int32(n))
	}
	rows, wide := int(starts[len(starts)-1]-starts[0]), (h.Heads+2*h.KeyHeads)*h.Dim
	x, _ := newMatrix(r, rows, in, r.IntN(20), r.IntN(16))
	w, _ := newMatrix(r, wide, in, 0, 0)
	bias := newBuffer(r, wide, 0).x
	for _, dead := range []int{h.key(0) + 3, h.value(0) + 5} { // columns that are 0 in every row
		clear(w.Row(dead))
		bias[dead] = 0
	}
	scaleGeneric(w.Data, 0.1)
	packed, prepared := core.set.Pack(nil, w, bias, d), prepare(core.set, x, d)
	qkv, qkvAlive := newMatrix(r, rows, wide, 0, r.IntN(16))
	out, alive := newMatrix(r, rows, h.Heads*h.Dim, r.IntN(20), r.IntN(16))
	core.Project(qkv, prepared, packed, starts, h)
	core.SelfAttention(out, qkv, starts, h)

	x, w = roundedOperands(core.set, x, w, d)
	sums, _ := product(x, w, bias, Matrix{})
	whole := NewMatrix(make([]float32, rows*wide), rows, wide)
	for i, sum := range sums {
		whole.Data[i] = float32(sum)
	}
	for s := range lengths {
		from, to := int(starts[s]-starts[0]), int(starts[s+1]-starts[0])
		for head := range h.Heads {
			part := func(m Matrix, col int) Matrix { return m.RowRange(from, to).ColumnRange(col, col+h.Dim) }
			value := part(whole, h.value(head))
			want := attention(core.operands(part(whole, h.query(head)), part(whole, h.key(head)), value))
			// A sum may round to another of two bfloat16s than it does in float64.
			bound := core.attentionBound(value, 1e-3, len(want))
			if err := within(flat(part(out, h.query(head))), want, bound); err != nil {
				return fmt.Errorf("sequence %d, head %d: %w", s, head, err)
			}
		}
	}
	return firstOf(alive(), qkvAlive())
}

func TestSelfAttention(t *testing.T) {
	t.Parallel()
	eachAttention(t, func(t *testing.T, s *Set, core *Core) {
		r := rand.New(rand.NewPCG(8, 1))
		for _, d := range s.DTypes() {
			if s.NewCoreFor(d).attend != core.attend {
				continue // a core of another arithmetic
			}
			for _, h := range []HeadGroup{{1, 1, 16}, {2, 2, 32}, {2, 1, 64}} {
				for _, lengths := range [][]int{{1}, {12, 15, 16, 17, 1, 31, 32, 33}, {100, 3}} {
					if err := trySelfAttention(core, r, d, 40, h, lengths...); err != nil {
						t.Fatalf("%s, %+v, sequences of %v: %v", d, h, lengths, err)
					}
				}
			}
		}
	})
}

// TestSelfAttentionLong goes to the longest sequence that is attended to at once, beyond
// it, and over inputs of several pieces.
func TestSelfAttentionLong(t *testing.T) {
	t.Parallel()
	eachAttention(t, func(t *testing.T, s *Set, core *Core) {
		r := rand.New(rand.NewPCG(8, 2))
		d := Float32
		if core.attend != s.attend[Float32] {
			d = Int8
		}
		for _, n := range []int{longestAtOnce, longestAtOnce + 1} {
			if err := trySelfAttention(core, r, d, piece+20, HeadGroup{1, 1, 32}, n); err != nil {
				t.Errorf("%s, %d tokens: %v", d, n, err)
			}
		}
	})
}

// TestSelfAttentionAlone: a sequence's result is the same whatever it is computed with.
func TestSelfAttentionAlone(t *testing.T) {
	t.Parallel()
	eachAttention(t, func(t *testing.T, s *Set, core *Core) {
		r := rand.New(rand.NewPCG(8, 3))
		const in, dim = 40, 32
		h := HeadGroup{2, 2, dim}
		lengths := []int{7, 16, 30, 41, 1, 12}
		starts := []int32{0}
		for _, n := range lengths {
			starts = append(starts, starts[len(starts)-1]+int32(n))
		}
		rows := int(starts[len(lengths)])
		x, _ := newMatrix(r, rows, in, 0, 0)
		w := s.Pack(nil, NewMatrix(random(r, 6*dim*in), 6*dim, in), nil, Float32)
		run := func(x Matrix, starts []int32) Matrix {
			qkv, out := NewMatrix(make([]float32, x.Rows*6*dim), x.Rows, 6*dim), NewMatrix(make([]float32, x.Rows*2*dim), x.Rows, 2*dim)
			core.Project(qkv, prepare(s, x, Float32), w, starts, h)
			core.SelfAttention(out, qkv, starts, h)
			return out
		}
		all := run(x, starts)
		for i := range lengths {
			from, to := int(starts[i]), int(starts[i+1])
			if err := sameBits(flat(run(x.RowRange(from, to), starts[i:i+2])), flat(all.RowRange(from, to))); err != nil {
				t.Errorf("sequence %d: %v", i, err)
			}
		}
	})
}

func TestSelfAttentionRefusesALongSequenceBesideOthers(t *testing.T) {
	t.Parallel()
	core := generic().NewCore()
	defer func() {
		if recover() == nil {
			t.Error("a long sequence beside another went through")
		}
	}()
	m := NewMatrix(make([]float32, 3*(longestAtOnce+2)), longestAtOnce+2, 3)
	core.SelfAttention(m.ColumnRange(0, 1), m, []int32{0, longestAtOnce + 1, longestAtOnce + 2}, HeadGroup{1, 1, 1})
}

// TestLinearFor: a product that is made for the next one is that product, prepared.
func TestLinearFor(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		core, r := s.NewCore(), rand.New(rand.NewPCG(8, 4))
		for _, d := range s.DTypes() {
			for _, a := range []Activation{Identity, GELU, SiLU} {
				for _, inner := range []int{64, 45} {
					for _, rows := range []int{0, 1, 16, 17, 32, 77} {
						x, _ := newMatrix(r, rows, 70, 3, 0)
						up, down := s.Pack(nil, NewMatrix(random(r, inner*70), inner, 70), random(r, inner), d), s.Pack(nil, NewMatrix(random(r, 33*inner), 33, inner), nil, d)
						memory := NewMatrix(make([]float32, rows*inner), rows, inner)
						var made, then Activations
						core.LinearFor(&made, memory, prepare(s, x, d), up, a, down)
						core.Linear(memory, prepare(s, x, d), up, a)
						s.Prepare(&then, memory, d)
						got, want := NewMatrix(make([]float32, rows*33), rows, 33), NewMatrix(make([]float32, rows*33), rows, 33)
						core.Linear(got, &made, down, Identity)
						core.Linear(want, &then, down, Identity)
						if err := sameBits(got.Data, want.Data); err != nil {
							t.Fatalf("%s, activation %d, %d inner columns, %d rows: %v", d, a, inner, rows, err)
						}
					}
				}
			}
		}
	})
}

// TestSquare: a square's rows become columns, and nothing else is touched.
func TestSquare(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		for _, a := range s.attend {
			if a.square == nil {
				continue
			}
			r := rand.New(rand.NewPCG(8, 5))
			for rows := 1; rows <= 16; rows++ {
				x, _ := newMatrix(r, rows, 16, r.IntN(9), r.IntN(16))
				y, alive := newMatrix(r, 16, 16, r.IntN(9), r.IntN(16))
				a.square(y.Data, x.Data, rows, y.Stride, x.Stride)
				for i := range 16 {
					for j := range rows {
						if y.Row(i)[j] != x.Row(j)[i] {
							t.Fatalf("%d rows: element (%d, %d) is %v, should be %v", rows, i, j, y.Row(i)[j], x.Row(j)[i])
						}
					}
				}
				if err := alive(); err != nil {
					t.Errorf("%d rows: %v", rows, err)
				}
			}
		}
	})
}
