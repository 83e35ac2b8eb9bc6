package kernel

import (
	"math"
	"slices"
	"testing"
)

// TestSelfAttentionOfLikes: where all keys are alike, and so all values, every result is the
// value: no unit is a division by zero, and no sum of the most and largest products overflows.
func TestSelfAttentionOfLikes(t *testing.T) {
	t.Parallel()
	cases := []struct{ query, key, value float32 }{
		{0, 0, 0}, {8, 8, 4}, {8, -8, -4}, {0, 0, 1}, {0x1p20, 0x1p-20, 0x1p20}, {0x1p-60, 0x1p-60, 0x1p-20},
	}
	eachAttention(t, func(t *testing.T, s *Set, core *Core) {
		for _, c := range cases {
			for _, dim := range []int{32, 64} {
				out := attendLikes(s, core, dim, longestAtOnce, c.query, c.key, c.value)
				want := slices.Repeat([]float64{float64(c.value)}, longestAtOnce*dim)
				bound := slices.Repeat([]float64{math.Abs(float64(c.value)) / 256}, len(want))
				if err := within(flat(out), want, bound); err != nil {
					t.Errorf("heads of %d, queries %v, keys %v, values %v: %v", dim, c.query, c.key, c.value, err)
				}
			}
		}
	})
}

// TestSelfAttentionOfMany: what most keys weigh together counts, however little each does beside
// the one that has nearly all, as a sequence's last token often has.
func TestSelfAttentionOfMany(t *testing.T) {
	t.Parallel()
	eachAttention(t, func(t *testing.T, s *Set, core *Core) {
		const rows, dim = longestAtOnce, 32
		w, x := NewMatrix(make([]float32, 3*dim*2), 3*dim, 2), NewMatrix(make([]float32, rows*2), rows, 2)
		for i := range dim {
			w.Row(i)[0], w.Row(dim + i)[1] = 0.625, 0.625    // the one's score is 12.5, the others' 0
			w.Row(2*dim + i)[0], w.Row(2*dim + i)[1] = 1, -1 // its values are 0, the others' 1
		}
		for i := range rows {
			x.Row(i)[0] = 1
		}
		x.Row(7)[1] = 1
		out := attendTo(s, core, x, w, dim)
		others := (rows - 1) * math.Exp2(-12.5)
		want := slices.Repeat([]float64{others / (1 + others)}, rows*dim)
		const bound = 0.006 // a weight of 5.7 units of int16, whose largest is 2^15, is one of 6
		if err := within(flat(out), want, slices.Repeat([]float64{bound}, rows*dim)); err != nil {
			t.Error(err)
		}
	})
}

// attendLikes attends one head over rows whose queries, keys and values are such numbers.
func attendLikes(s *Set, core *Core, dim, rows int, query, key, value float32) Matrix {
	w := NewMatrix(make([]float32, 3*dim), 3*dim, 1)
	for i := range dim {
		w.Data[i], w.Data[dim+i], w.Data[2*dim+i] = query, key, value
	}
	return attendTo(s, core, NewMatrix(slices.Repeat([]float32{1}, rows), rows, 1), w, dim)
}

// attendTo attends one head over one sequence.
func attendTo(s *Set, core *Core, x, w Matrix, dim int) Matrix {
	d := Float32
	if core.attend.blocks != nil {
		d = BFloat16
	}
	starts, h := []int32{0, int32(x.Rows)}, HeadGroup{1, 1, dim}
	qkv, out := NewMatrix(make([]float32, x.Rows*3*dim), x.Rows, 3*dim), NewMatrix(make([]float32, x.Rows*dim), x.Rows, dim)
	core.Project(qkv, prepare(s, x, d), s.Pack(nil, w, nil, d), starts, h)
	core.SelfAttention(out, qkv, starts, h)
	return out
}
