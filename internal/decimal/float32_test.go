package decimal

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// differs says how Append departs from encoding/json on f, "" if it does not.
func differs(f float32) string {
	got := string(Append(nil, f))
	want := "null"
	if v := float64(f); !math.IsNaN(v) && !math.IsInf(v, 0) {
		j, _ := json.Marshal(f)
		want = string(j)
	}
	if math.Abs(float64(f)) == 1.0/4096 { // exactly between two: strconv takes the odd one
		want = strings.Replace(want, "063", "062", 1)
	}
	if f == 0 && math.Signbit(float64(f)) {
		want = "-0"
	}
	if got != want {
		return "got " + got + " want " + want
	}
	return ""
}

func TestAppendAtTheEdges(t *testing.T) {
	t.Parallel()
	for _, f := range []float32{
		0, float32(math.Copysign(0, -1)), 1, -1, 0.1, 0.3, 1.0 / 3, 9.999999e-7, 1e-6, 1.0000001e-6, 1e-7, 123456.79, 1e20, 9.999999e20, 1e21,
		1.0000001e21, math.MaxFloat32, math.SmallestNonzeroFloat32, 16777215, 16777216, 16777218, 1e9, 1234567890, 0.5, 8388608.5, 1e10, 5e-324,
		float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.Float32frombits(0x007fffff), math.Float32frombits(0x00800000),
	} {
		if d := differs(f); d != "" {
			t.Errorf("%08x: %s", math.Float32bits(f), d)
		}
	}
}

// TestAppendAtEveryExponent takes each exponent with the significands at
// which intervals and ties change.
func TestAppendAtEveryExponent(t *testing.T) {
	t.Parallel()
	for e := range uint32(256) {
		for _, m := range []uint32{0, 1, 2, 3, 1 << 22, 1<<23 - 1, 1<<23 - 2, 0x2aaaaa, 0x555555} {
			f := math.Float32frombits(e<<23 | m)
			if d := differs(f); d != "" {
				t.Errorf("%08x: %s", e<<23|m, d)
			}
		}
	}
}

// TestAppendLikeStrconv compares random bit patterns, and a stride through
// all of them, with strconv's digits.
func TestAppendLikeStrconv(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	const rounds = 4_000_000 / slowdown
	const step = math.MaxUint32 / rounds
	var got, want []byte
	for i := range uint32(rounds) {
		u := random.Uint32()
		if i%2 == 0 {
			u = i * step
		}
		f := math.Float32frombits(u)
		got, want = Append(got[:0], f), appendReference(want[:0], f)
		if string(got) != string(want) {
			t.Fatalf("%08x: got %s want %s", u, got, want)
		}
	}
}

// TestFractionsLikeStrconv strides through those that have a way of their own, with the ones on
// both sides.
func TestFractionsLikeStrconv(t *testing.T) {
	t.Parallel()
	const step = 67 * slowdown
	var got, want []byte
	for u := uint32(leastFraction - 1000); u < one+1000; u += step {
		f := math.Float32frombits(u)
		got, want = Append(got[:0], -f), strconv.AppendFloat(want[:0], float64(-f), 'f', -1, 32)
		if string(got) != string(want) {
			t.Fatalf("%08x: got %s want %s", u, got, want)
		}
	}
}

func appendReference(b []byte, f float32) []byte {
	v := math.Abs(float64(f))
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return append(b, "null"...)
	case v != 0 && (float32(v) < 1e-6 || float32(v) >= 1e21):
		b = strconv.AppendFloat(b, float64(f), 'e', -1, 32)
		if n := len(b); b[n-4] == 'e' && b[n-2] == '0' { // e-09 -> e-9
			b = append(b[:n-2], b[n-1])
		}
		return b
	default:
		return strconv.AppendFloat(b, float64(f), 'f', -1, 32)
	}
}

// TestShortestIsNotLonger is the control of the tests above: a digit more than
// needed, or one off in the last place, is seen.
func TestShortestIsNotLonger(t *testing.T) {
	t.Parallel()
	if d := differs(0.1); d != "" {
		t.Fatal(d)
	}
	if string(appendReference(nil, 0.1)) == "0.10" || string(appendReference(nil, 0.2)) == string(Append(nil, 0.1)) {
		t.Fatal("the reference cannot tell values apart")
	}
}

func FuzzAppend(f *testing.F) {
	for _, u := range []uint32{0, 1, 0x3dcccccd, 0x7f7fffff, 0x80000000, 0xff800000, 0x4b7fffff} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, u uint32) {
		if d := differs(math.Float32frombits(u)); d != "" {
			t.Errorf("%08x: %s", u, d)
		}
	})
}

func TestAppendVector(t *testing.T) {
	t.Parallel()
	for want, v := range map[string][]float32{"[]": {}, "[1]": {1}, "[0.5,-0.25,null]": {0.5, -0.25, float32(math.NaN())}} {
		if got := string(AppendVector([]byte("x"), v)); got != "x"+want {
			t.Errorf("%v: got %s want x%s", v, got, want)
		}
	}
}

func TestAppendVectorReusesItsBuffer(t *testing.T) {
	v := unitVector(384)
	b := AppendVector(nil, v)
	if n := testing.AllocsPerRun(10, func() { b = AppendVector(b[:0], v) }); n != 0 {
		t.Errorf("%v allocations a vector into a buffer that is large enough", n)
	}
}

func unitVector(dim int) []float32 {
	random := rand.New(rand.NewPCG(3, 4))
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(random.NormFloat64() / math.Sqrt(float64(dim)))
	}
	return v
}

// BenchmarkAppend writes more values than a processor's predictor of branches learns by heart.
func BenchmarkAppend(b *testing.B) {
	const values = 1 << 16
	v := unitVector(values)
	for i := range v {
		v[i] *= 13 // as large as those of a vector of 384 dimensions
	}
	buf := make([]byte, 0, values*(maxLen+1)+2)
	b.Run("decimal", func(b *testing.B) {
		for b.Loop() {
			buf = AppendVector(buf[:0], v)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/values, "ns/value")
	})
	b.Run("strconv", func(b *testing.B) {
		for b.Loop() {
			buf = buf[:0]
			for _, f := range v {
				buf = strconv.AppendFloat(append(buf, ','), float64(f), 'g', -1, 32)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/values, "ns/value")
	})
}
