package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// eachLevel runs a suite against every level of this machine.
func eachLevel(t *testing.T, suite func(t *testing.T, s *Set)) {
	t.Helper()
	for _, r := range ladder() {
		t.Run(string(r.level), func(t *testing.T) {
			t.Parallel()
			suite(t, r.make())
		})
	}
}

// TestNoLevelIsLeftOut holds the suites to what the operating system says the
// machine has: a level that is there and was not found would otherwise go untested.
func TestNoLevelIsLeftOut(t *testing.T) {
	t.Parallel()
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || runtime.GOARCH != "amd64" || !assembled {
		t.Skip("only a Linux x86-64 build with assembly lists its processor's features in /proc/cpuinfo")
	}
	flags := strings.Fields(string(info))
	for level, needed := range map[Level][]string{
		AVX2:   {"avx2", "fma", "bmi2"},
		AVX512: {"avx2", "fma", "bmi2", "avx512f", "avx512bw", "avx512dq", "avx512vl"},

		AVX512VNNI: {"avx2", "fma", "bmi2", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"},
		AVX512BF16: {"avx2", "fma", "bmi2", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16"},
		AVX2VNNI:   {"avx2", "fma", "bmi2", "avx_vnni"},
		AMX:        {"avx2", "fma", "bmi2", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8"},
	} {
		has := !slices.ContainsFunc(needed, func(f string) bool { return !slices.Contains(flags, f) })
		if has != slices.Contains(Levels(), level) {
			t.Errorf("level %s: the processor has it: %v; levels found: %v", level, has, Levels())
		}
	}
}

// canary surrounds every buffer. As a NaN it also spoils whatever is computed from it.
var canary = math.Float32frombits(0x7fc0dead)

const border = 64 // canaries on each side

// buffer is a slice at a chosen misalignment between canaries.
type buffer struct {
	whole []float32
	x     []float32
}

// newBuffer returns n random values that begin offset elements past where an
// allocation would.
func newBuffer(r *rand.Rand, n, offset int) buffer {
	b := buffer{whole: make([]float32, n+2*border+offset)}
	for i := range b.whole {
		b.whole[i] = canary
	}
	b.x = b.whole[border+offset : border+offset+n : border+offset+n]
	for i := range b.x {
		b.x[i] = float32(r.NormFloat64())
	}
	return b
}

// overrun tells whether something was written outside the buffer.
func (b buffer) overrun() error {
	first := len(b.whole) - border - len(b.x)
	for i, v := range b.whole {
		if (i < first || i >= first+len(b.x)) && math.Float32bits(v) != math.Float32bits(canary) {
			return fmt.Errorf("element %d of %d was overwritten", i-first, len(b.x))
		}
	}
	return nil
}

// gaps puts canaries between a matrix's rows and returns a check that they are alive.
func (b buffer) gaps(m Matrix) func() error {
	each := func(visit func(i int) error) error {
		for r := range m.Rows - 1 {
			for i := r*m.Stride + m.Cols; i < (r+1)*m.Stride; i++ {
				if err := visit(i); err != nil {
					return err
				}
			}
		}
		return nil
	}
	each(func(i int) error { m.Data[i] = canary; return nil })
	return func() error {
		if err := b.overrun(); err != nil {
			return err
		}
		return each(func(i int) error {
			if math.Float32bits(m.Data[i]) != math.Float32bits(canary) {
				return fmt.Errorf("element %d, between two rows, was overwritten", i)
			}
			return nil
		})
	}
}

// newMatrix makes a random matrix with a gap after each row, and the check of its borders.
func newMatrix(r *rand.Rand, rows, cols, gap, offset int) (Matrix, func() error) {
	b := newBuffer(r, max(rows*(cols+gap)-gap, 0), offset)
	m := Matrix{Data: b.x, Rows: rows, Cols: cols, Stride: cols + gap}
	return m, b.gaps(m)
}

// unit is the relative rounding error of one float32 operation.
const unit = 1.0 / (1 << 24)

// sumBound bounds the error of a sum of n products whose absolute values add up to
// magnitude, in any order of additions, fused or not (Higham, Accuracy and Stability
// of Numerical Algorithms, 3.1), and of two operations more.
func sumBound(n int, magnitude float64) float64 { return float64(n+3) * unit * magnitude }

// within compares with a bound for each element. The bound of an exact zero is
// widened by the smallest normal number.
func within(got []float32, want, bound []float64) error {
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= bound[i]+0x1p-126) {
			return fmt.Errorf("element %d of %d is %v, should be %v: off by %.3g, bound %.3g", i, len(want), got[i], w, d, bound[i])
		}
	}
	return nil
}

// sameBits compares without tolerance.
func sameBits(a, b []float32) error {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return fmt.Errorf("element %d: %v and %v", i, a[i], b[i])
		}
	}
	return nil
}
