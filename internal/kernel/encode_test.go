package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// tryEncodeAll compares rows that are encoded at once with those encoded one by one: what
// products read of them, bit for bit.
func tryEncodeAll(a *arithmetic, r *rand.Rand, rows, cols int) error {
	oneByOne := *a
	oneByOne.encodeRows = nil
	x, _ := newMatrix(r, rows, cols, r.IntN(20), r.IntN(16))
	if rows > 2 {
		clear(x.Row(1)) // no scale
	}
	got, alive := newMatrix(r, rows, a.width(cols), 0, r.IntN(16))
	want, _ := newMatrix(r, rows, a.width(cols), 0, 0)
	a.encodeAll(got, x)
	oneByOne.encodeAll(want, x)
	for i := range rows {
		for n := range a.spans(cols) {
			s := a.span(cols, n)
			end := s.at + s.steps
			if a.scaled() {
				end++
			}
			if err := sameBits(got.Row(i)[s.at:end], want.Row(i)[s.at:end]); err != nil {
				return fmt.Errorf("row %d, piece %d: %w", i, n, err)
			}
		}
	}
	return alive()
}

func TestEncodeAll(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(9, 1))
		for _, d := range s.allDTypes() {
			if s.linear[d].encodeRows == nil || s.linear[d].blocks != nil { // blocks are not encoded by encodeAll
				continue
			}
			for _, rows := range []int{0, 1, 2, 7} {
				for _, cols := range []int{0, 1, 3, 4, 15, 16, 17, 63, 64, 65, 130, 384, 512, 513, 1100} {
					if err := tryEncodeAll(s.linear[d], r, rows, cols); err != nil {
						t.Errorf("%s, %d rows of %d: %v", d, rows, cols, err)
					}
				}
			}
		}
	})
}
