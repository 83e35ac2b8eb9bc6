package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// vectorCase runs one kernel on buffers of n elements and returns what it computed,
// what it should have, and the bound of each element.
type vectorCase func(s *Set, x, y, gamma, beta []float32) (got []float32, want, bound []float64)

var vectorCases = map[string]vectorCase{
	"dot": func(s *Set, x, y, _, _ []float32) ([]float32, []float64, []float64) {
		sum, magnitude := 0.0, 0.0
		for i := range x {
			sum += float64(x[i]) * float64(y[i])
			magnitude += math.Abs(float64(x[i]) * float64(y[i]))
		}
		return []float32{s.Dot(x, y)}, []float64{sum}, []float64{sumBound(len(x), magnitude)}
	},
	"sum": func(s *Set, x, _, _, _ []float32) ([]float32, []float64, []float64) {
		sum, magnitude := 0.0, 0.0
		for _, v := range x {
			sum += float64(v)
			magnitude += math.Abs(float64(v))
		}
		return []float32{s.vector.sum(x)}, []float64{sum}, []float64{sumBound(len(x), magnitude)}
	},
	"deviation": func(s *Set, x, _, _, _ []float32) ([]float32, []float64, []float64) {
		const mean = 0.625
		sum := 0.0
		for _, v := range x {
			sum += (float64(v) - mean) * (float64(v) - mean)
		}
		return []float32{s.vector.deviation(x, mean)}, []float64{sum}, []float64{sumBound(len(x)+2, sum)}
	},
	"max": func(s *Set, x, _, _, _ []float32) ([]float32, []float64, []float64) {
		for i := range x {
			x[i] -= 5 // so that a lane of zeros would win
		}
		if len(x) == 0 {
			return nil, nil, nil
		}
		largest := math.Inf(-1)
		for _, v := range x {
			largest = math.Max(largest, float64(v))
		}
		return []float32{s.vector.max(x)}, []float64{largest}, []float64{0}
	},
	"add": func(s *Set, x, y, _, _ []float32) ([]float32, []float64, []float64) {
		want, bound := make([]float64, len(x)), make([]float64, len(x))
		for i := range x {
			want[i] = float64(x[i]) + float64(y[i])
			bound[i] = unit * math.Abs(want[i])
		}
		s.Add(x, y)
		return x, want, bound
	},
	"multiply": func(s *Set, x, y, _, _ []float32) ([]float32, []float64, []float64) {
		want, bound := make([]float64, len(x)), make([]float64, len(x))
		for i := range x {
			want[i] = float64(x[i]) * float64(y[i])
			bound[i] = unit * math.Abs(want[i])
		}
		s.Multiply(NewMatrix(x, 1, len(x)), NewMatrix(y, 1, len(x)))
		return x, want, bound
	},
	"scale": func(s *Set, x, _, _, _ []float32) ([]float32, []float64, []float64) {
		const factor = 0.7
		want, bound := make([]float64, len(x)), make([]float64, len(x))
		for i := range x {
			want[i] = float64(x[i]) * float64(float32(factor))
			bound[i] = unit * math.Abs(want[i])
		}
		s.Scale(x, factor)
		return x, want, bound
	},
	"normalize": func(s *Set, x, y, gamma, beta []float32) ([]float32, []float64, []float64) {
		const mean, inverse = 0.25, 1.5
		want, bound := make([]float64, len(x)), make([]float64, len(x))
		for i := range x {
			scaled := (float64(x[i]) - mean) * inverse * float64(gamma[i])
			want[i] = scaled + float64(beta[i])
			bound[i] = 4 * unit * (math.Abs(scaled) + math.Abs(float64(beta[i])))
		}
		s.vector.normalize(y, x, gamma, beta, mean, inverse)
		return y, want, bound
	},
	"exp2Sum": func(s *Set, x, _, _, _ []float32) ([]float32, []float64, []float64) {
		const shift = 6
		want, bound, sum := make([]float64, len(x)), make([]float64, len(x)), 0.0
		for i := range x {
			x[i] = min(x[i]*8, shift)
			want[i] = math.Exp2(float64(x[i] - shift))
			bound[i] = exp2Bound * want[i]
			sum += want[i]
		}
		total := s.vector.exp2Sum(x, shift)
		return append(append([]float32{}, x...), total), append(want, sum), append(bound, exp2Bound*sum+sumBound(len(x), sum))
	},
	"gelu": func(s *Set, x, _, _, _ []float32) ([]float32, []float64, []float64) {
		want, bound := make([]float64, len(x)), make([]float64, len(x))
		for i := range x {
			x[i] *= 3
			want[i], bound[i] = exactGELU(float64(x[i])), geluBound+unit*math.Abs(float64(x[i]))
		}
		s.vector.gelu(x, 1, len(x), len(x))
		return x, want, bound
	},
	"softmax": func(s *Set, x, y, _, _ []float32) ([]float32, []float64, []float64) {
		rows := min(3, len(x)) // with a gap of one element between them
		cols := max(len(x)/max(rows, 1)-1, 0)
		want, bound := make([]float64, len(x)), make([]float64, len(x))
		for i, v := range x {
			want[i] = float64(v)
		}
		if cols == 0 {
			return x, want, bound
		}
		largest, total := y[:rows], make([]float32, rows)
		for r := range rows {
			row := want[r*(cols+1):][:cols]
			top := slices.Max(row)
			for i, v := range row {
				row[i] = math.Exp2(v - top)
				bound[r*(cols+1)+i] = exp2Bound*row[i] + unit*math.Abs(v-top)
			}
		}
		s.vector.softmax(x, rows, cols, cols+1, largest, total)
		for r := range rows { // totals beside the weights
			sum := 0.0
			for _, w := range want[r*(cols+1):][:cols] {
				sum += w
			}
			want, bound = append(want, sum), append(bound, 2*float64(cols+8)*exp2Bound*sum)
		}
		return append(slices.Clone(x), total...), want, bound
	},
	"divide": func(s *Set, x, y, _, _ []float32) ([]float32, []float64, []float64) {
		rows := min(2, len(x))
		cols := max(len(x)/max(rows, 1)-1, 0)
		want, bound := make([]float64, len(x)), make([]float64, len(x))
		for i, v := range x {
			want[i] = float64(v)
		}
		for r := range rows {
			for i := range cols {
				at := r*(cols+1) + i
				want[at] /= float64(y[r])
				bound[at] = 3 * unit * math.Abs(want[at])
			}
		}
		s.vector.divide(x, rows, cols, cols+1, y)
		return x, want, bound
	},
	"gelu of what is then rounded": func(s *Set, x, _, _, _ []float32) ([]float32, []float64, []float64) {
		want, bound := make([]float64, len(x)), make([]float64, len(x))
		for i := range x {
			want[i], bound[i] = exactGELU(float64(x[i])), nearBound
		}
		s.vector.geluNear(x, 1, len(x), len(x))
		return x, want, bound
	},
}

// TestVectors tries every length from 0 past several registers, and every
// misalignment of a register's elements.
func TestVectors(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(2, 1))
		for name, run := range vectorCases {
			for n := range 150 {
				for _, offset := range []int{n % 16, r.IntN(16)} {
					if err := tryVector(s, r, run, n, offset); err != nil {
						t.Fatalf("%s of %d elements at offset %d: %v", name, n, offset, err)
					}
				}
			}
		}
	})
}

func tryVector(s *Set, r *rand.Rand, run vectorCase, n, offset int) error {
	var b [4]buffer
	for i := range b {
		b[i] = newBuffer(r, n, (offset*(i+1))%16)
	}
	got, want, bound := run(s, b[0].x, b[1].x, b[2].x, b[3].x)
	if err := within(got, want, bound); err != nil {
		return err
	}
	for i := range b {
		if err := b[i].overrun(); err != nil {
			return fmt.Errorf("buffer %d: %w", i, err)
		}
	}
	return nil
}

// TestVectorsSeeMistakes: every case rejects a kernel that does nothing.
func TestVectorsSeeMistakes(t *testing.T) {
	t.Parallel()
	idle := &Set{vector: vectors{
		dot: func(_, _ []float32) float32 { return 0 }, add: func(_, _ []float32) {}, scale: func([]float32, float32) {}, multiply: func(_, _, _ []float32) {},
		max: func([]float32) float32 { return 0 }, exp2Sum: func([]float32, float32) float32 { return 0 },
		sum: func([]float32) float32 { return 0 }, deviation: func([]float32, float32) float32 { return 0 },
		normalize: func(_, _, _, _ []float32, _, _ float32) {}, gelu: func([]float32, int, int, int) {}, geluNear: func([]float32, int, int, int) {},
		softmax: func([]float32, int, int, int, []float32, []float32) {}, divide: func([]float32, int, int, int, []float32) {},
	}}
	for name, run := range vectorCases {
		if tryVector(idle, rand.New(rand.NewPCG(2, 2)), run, 9, 0) == nil {
			t.Errorf("%s: a kernel that does nothing passed", name)
		}
	}
}

// The bounds that the vector code promises: GELU absolute but for the result's rounding, 2^x relative.
const (
	geluBound = 4e-7
	nearBound = 6e-5 // of results that are then rounded
	exp2Bound = 2e-7
)

func exactGELU(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }

// TestGELUError sweeps all of GELU's bend, and values far outside it.
func TestGELUError(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		var x []float32
		for v := -9.0; v <= 9; v += 1.0 / 8192 {
			x = append(x, float32(v))
		}
		x = append(x, 0, 1e-30, -1e-30, 1e4, -1e4, 1e18, -1e18)
		y := append([]float32{}, x...)
		s.Activate(GELU, y)
		checkGELU(t, x, y, geluBound, unit)
		copy(y, x)
		s.activate(GELU, true, y, 1, len(y), len(y))
		checkGELU(t, x, y, nearBound, 16*unit)
	})
}

// checkGELU allows an error of bound and, relative to x, of rounding.
func checkGELU(t *testing.T, x, y []float32, bound, rounding float64) {
	t.Helper()
	worst, at := 0.0, float32(0)
	for i, v := range x {
		want := exactGELU(float64(v))
		d := math.Abs(float64(y[i])-want) - rounding*math.Abs(float64(v))
		if !(d <= worst) {
			worst, at = d, v
		}
	}
	t.Logf("largest error %.3g, at %v", worst, at)
	if !(worst <= bound) {
		t.Errorf("GELU(%v) is off by %.3g; bound %.3g", at, worst, bound)
	}
}

func TestExp2Error(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		var x []float32
		for v := -100.0; v <= 0; v += 1.0 / 1024 {
			x = append(x, float32(v))
		}
		y := append([]float32{}, x...)
		s.vector.exp2Sum(y, 0)
		worst, at := 0.0, float32(0)
		for i, v := range x {
			want := math.Exp2(float64(v))
			if d := math.Abs(float64(y[i])-want) / want; !(d <= worst) {
				worst, at = d, v
			}
		}
		t.Logf("largest relative error %.3g, at %v", worst, at)
		if !(worst <= exp2Bound) {
			t.Errorf("2^%v is off by %.3g of itself; bound %.3g", at, worst, exp2Bound)
		}
		tiny := []float32{-127, -1000, float32(math.Inf(-1)), -3e38}
		s.vector.exp2Sum(tiny, 0)
		for i, v := range tiny {
			if !(v >= 0 && v <= 0x1p-100) {
				t.Errorf("element %d of the far tail is %v", i, v)
			}
		}
	})
}

func TestLayerNorm(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(2, 3))
		for cols := 1; cols < 140; cols++ {
			x, _ := newMatrix(r, 3, cols, r.IntN(5), r.IntN(16))
			dst, alive := newMatrix(r, 3, cols, r.IntN(5), r.IntN(16))
			gamma, beta := newBuffer(r, cols, 1).x, newBuffer(r, cols, 2).x
			for i := range x.Row(1) {
				x.Row(1)[i] += 100 // a large mean must not drown the deviation
			}
			s.LayerNorm(dst, x, gamma, beta, 1e-5)
			want, bound := layerNorm(x, gamma, beta, 1e-5)
			if err := firstOf(within(flat(dst), want, bound), alive()); err != nil {
				t.Fatalf("%d columns: %v", cols, err)
			}
		}
	})
}

// layerNorm computes in float64. The bound lets the mean be wrong by its sum's error.
func layerNorm(x Matrix, gamma, beta []float32, epsilon float64) (want, bound []float64) {
	for r := range x.Rows {
		n, mean, magnitude, variance := float64(x.Cols), 0.0, 0.0, 0.0
		for _, v := range x.Row(r) {
			mean += float64(v) / n
			magnitude += math.Abs(float64(v)) / n
		}
		for _, v := range x.Row(r) {
			variance += (float64(v) - mean) * (float64(v) - mean) / n
		}
		inverse := 1 / math.Sqrt(variance+epsilon)
		shift := sumBound(x.Cols, magnitude)
		for i, v := range x.Row(r) {
			normal := (float64(v) - mean) * inverse
			relative := sumBound(x.Cols, 1) + shift*inverse
			want = append(want, normal*float64(gamma[i])+float64(beta[i]))
			bound = append(bound, math.Abs(float64(gamma[i]))*(shift*inverse+relative*(math.Abs(normal)+1))+4*unit*math.Abs(float64(beta[i])))
		}
	}
	return want, bound
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		x := []float32{3, 0, -4}
		s.Normalize(x)
		if err := within(x, []float64{0.6, 0, -0.8}, []float64{1e-7, 0, 1e-7}); err != nil {
			t.Error(err)
		}
		zero := make([]float32, 5)
		s.Normalize(zero)
		if err := within(zero, make([]float64, 5), make([]float64, 5)); err != nil {
			t.Error(err)
		}
	})
}
