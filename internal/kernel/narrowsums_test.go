package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// largestSum is the largest magnitude of what the elements of one sign add up to among
// those whose products AVX2's kernels add in 16 bits: of each eight bytes in a row 0, 1,
// 4 and 5, or 2, 3, 6 and 7.
func largestSum(w []float32) float32 {
	groups := map[int][2]float32{}
	for i, v := range w {
		g := i/8*2 + i/2%2
		s := groups[g]
		groups[g] = [2]float32{s[0] + max(v, 0), s[1] - min(v, 0)}
	}
	largest := float32(0)
	for _, s := range groups {
		largest = max(largest, s[0], s[1])
	}
	return largest
}

// TestSumsOfBytesHold: no weights at all let a sum of bytes saturate, whether it has 32
// bits or, where weights leave room, 16, even for inputs that are all as large as a
// byte can say.
func TestSumsOfBytesHold(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(7, 1))
		const rows, in, out = 5, 520, 16
		for name, weight := range map[string]func(i int) float32{
			"alike":         func(int) float32 { return 1 },
			"negative":      func(int) float32 { return -1 },
			"in turns":      func(i int) float32 { return float32(1 - 2*(i%2)) },
			"two by two":    func(i int) float32 { return float32(1 - i/2%2) },
			"one large":     func(i int) float32 { return []float32{1, 0.01, 0.01}[min(i%8, 2)] },
			"all of a half": func(i int) float32 { return []float32{126.5, 31.5, 31.5, 31.5}[i/512*3] },
			"normal":        func(int) float32 { return float32(r.NormFloat64()) },
		} {
			w, x := NewMatrix(make([]float32, out*in), out, in), NewMatrix(make([]float32, rows*in), rows, in)
			for i := range w.Data {
				w.Data[i] = weight(i % in)
			}
			for i := range x.Data {
				x.Data[i] = 3 // the largest of its row: byte 255
			}
			for _, d := range s.allDTypes() {
				if d != Int8 && d != Int8GELU {
					continue
				}
				y := NewMatrix(make([]float32, rows*out), rows, out)
				s.NewCore().Linear(y, prepare(s, x, d), s.Pack(nil, w, nil, d), Identity)
				rx, rw := roundedOperands(s, x, w, d)
				want, bound := product(rx, rw, nil, Matrix{})
				if err := within(y.Data, want, bound); err != nil {
					t.Errorf("%s, weights %s: %v", d, name, err)
				}
			}
		}
	})
}

// TestNarrowReach holds the unit of weights to 255·Σ < 2^15 for every four bytes that
// meet in a sum, and to no more than that takes.
func TestNarrowReach(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 2))
	for range 2000 {
		w := make([]float32, 1+r.IntN(40))
		for i := range w {
			w[i] = float32(math.Pow(r.NormFloat64(), float64(1+2*r.IntN(3))))
		}
		unit := narrowReach(w) / topByte
		whole := make([]float32, len(w))
		for i, v := range w {
			whole[i] = float32(math.RoundToEven(float64(v / unit)))
		}
		if sum, top := largestSum(whole), largestGeneric(whole); sum > 128 || top > 127 {
			t.Fatalf("weights %v: bytes of up to %v, sums of up to %v", w, top, sum)
		}
		if sum, top := largestSum(whole), largestGeneric(whole); sum < 124 && top < 127 {
			t.Errorf("weights %v: bytes of up to %v and sums of up to %v use not all that there is", w, top, sum)
		}
	}
}
