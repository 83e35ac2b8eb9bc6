package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestRotate(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(5, 4))
		for half := range 70 {
			if err := tryRotate(r, half, s.Rotate); err != nil {
				t.Fatalf("heads of %d: %v", 2*half, err)
			}
		}
	})
}

// TestRotateSeesMistakes: turning the other way, or by the neighbour's angle, fails.
func TestRotateSeesMistakes(t *testing.T) {
	t.Parallel()
	s := generic()
	for name, wrong := range map[string]func(x, cos, sin Matrix){
		"backwards": func(x, cos, sin Matrix) {
			for i := range sin.Rows {
				s.Scale(sin.Row(i), -1)
			}
			s.Rotate(x, cos, sin)
		},
		"not at all":         func(_, _, _ Matrix) {},
		"by other positions": func(x, cos, sin Matrix) { s.Rotate(x, cos.RowRange(1, 4), sin.RowRange(1, 4)) },
	} {
		if tryRotate(rand.New(rand.NewPCG(5, 5)), 8, wrong) == nil {
			t.Errorf("%s: passed", name)
		}
	}
}

// tryRotate multiplies complex numbers in float64.
func tryRotate(r *rand.Rand, half int, rotate func(x, cos, sin Matrix)) error {
	x, alive := newMatrix(r, 3, 2*half, r.IntN(9), r.IntN(16))
	cos, _ := newMatrix(r, 4, half, 0, r.IntN(16))
	sin, _ := newMatrix(r, 4, half, 0, r.IntN(16))
	want, bound := make([]float64, 6*half), make([]float64, 6*half)
	for i := range 3 {
		for j := range half {
			turn := complex(float64(cos.Row(i)[j]), float64(sin.Row(i)[j]))
			z := complex(float64(x.Row(i)[j]), float64(x.Row(i)[half+j])) * turn
			at := i * 2 * half
			want[at+j], want[at+half+j] = real(z), imag(z)
			size := sumBound(2, math.Abs(real(turn))+math.Abs(imag(turn))) * (math.Abs(float64(x.Row(i)[j])) + math.Abs(float64(x.Row(i)[half+j])))
			bound[at+j], bound[at+half+j] = size, size
		}
	}
	rotate(x, cos, sin)
	return firstOf(within(flat(x), want, bound), alive())
}

func TestMultiply(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(5, 6))
		for cols := range 70 {
			dst, alive := newMatrix(r, 3, cols, r.IntN(9), r.IntN(16))
			x, _ := newMatrix(r, 3, cols, r.IntN(9), r.IntN(16))
			var want, bound []float64
			for i := range 3 {
				for j, v := range dst.Row(i) {
					product := float64(v) * float64(x.Row(i)[j])
					want, bound = append(want, product), append(bound, unit*math.Abs(product))
				}
			}
			s.Multiply(dst, x)
			if err := firstOf(within(flat(dst), want, bound), alive()); err != nil {
				t.Fatalf("%d columns: %v", cols, err)
			}
		}
	})
}

func TestRMSNorm(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(5, 7))
		for cols := 1; cols < 140; cols++ {
			for _, epsilon := range []float32{1e-6, 0.5} { // the second shows that it counts
				x, _ := newMatrix(r, 3, cols, r.IntN(5), r.IntN(16))
				dst, alive := newMatrix(r, 3, cols, r.IntN(5), r.IntN(16))
				gamma := newBuffer(r, cols, 1).x
				want, bound := rmsNorm(x, gamma, float64(epsilon))
				s.RMSNorm(dst, x, gamma, make([]float32, cols), epsilon)
				if err := firstOf(within(flat(dst), want, bound), alive()); err != nil {
					t.Fatalf("%d columns, epsilon %v: %v", cols, epsilon, err)
				}
			}
		}
	})
}

func rmsNorm(x Matrix, gamma []float32, epsilon float64) (want, bound []float64) {
	for i := range x.Rows {
		squares := 0.0
		for _, v := range x.Row(i) {
			squares += float64(v) * float64(v)
		}
		inverse := 1 / math.Sqrt(squares/float64(x.Cols)+epsilon)
		for j, v := range x.Row(i) {
			want = append(want, float64(v)*inverse*float64(gamma[j]))
			bound = append(bound, sumBound(x.Cols+4, math.Abs(want[len(want)-1])))
		}
	}
	return want, bound
}
