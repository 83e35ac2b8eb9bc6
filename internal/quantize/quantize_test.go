package quantize

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"testing"
)

// reference is what sentence-transformers made; see testdata/expected.py.
type reference struct {
	Calibration, Vectors     [][]float32
	Calibrated, Uncalibrated map[string][][]int
}

func readReference(t *testing.T) reference {
	t.Helper()
	data, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(data, &r); err != nil || len(r.Vectors) == 0 {
		t.Fatal(err, len(r.Vectors))
	}
	return r
}

// TestBytesAreTheReferences: every byte, with ranges of a calibration and with
// those of the vectors themselves.
func TestBytesAreTheReferences(t *testing.T) {
	t.Parallel()
	want := readReference(t)
	for name, c := range map[string]struct {
		from [][]float32
		want map[string][][]int
	}{"calibrated": {want.Calibration, want.Calibrated}, "uncalibrated": {want.Vectors, want.Uncalibrated}} {
		ranges, err := RangesOf(c.from)
		if err != nil || ranges.Dim() != len(want.Vectors[0]) {
			t.Fatal(err, ranges.Dim())
		}
		for k, v := range want.Vectors {
			for i, x := range v {
				if got := ranges.Uint8(i, x); got != c.want["uint8"][k][i] {
					t.Errorf("%s: vector %d, dimension %d: uint8 %d, want %d", name, k, i, got, c.want["uint8"][k][i])
				}
				if got := ranges.Int8(i, x); got != c.want["int8"][k][i] {
					t.Errorf("%s: vector %d, dimension %d: int8 %d, want %d", name, k, i, got, c.want["int8"][k][i])
				}
			}
		}
	}
}

func TestBitsAreTheReferences(t *testing.T) {
	t.Parallel()
	want := readReference(t)
	for k, v := range want.Vectors {
		for i, b := range Bits(v) {
			if int(b) != want.Uncalibrated["ubinary"][k][i] || int(b)-128 != want.Uncalibrated["binary"][k][i] {
				t.Errorf("vector %d, byte %d: %d, want %d and %d", k, i, b, want.Uncalibrated["ubinary"][k][i], want.Uncalibrated["binary"][k][i])
			}
		}
	}
	if got := Bits([]float32{1, -1, 0, 1, 0, 0, 0, 0, 2}); len(got) != 2 || got[0] != 0x90 || got[1] != 0x80 {
		t.Errorf("%x", got)
	}
}

func TestTooFew(t *testing.T) {
	t.Parallel()
	for _, vectors := range [][][]float32{nil, {{1, 2}}} {
		if _, err := RangesOf(vectors); !errors.Is(err, ErrTooFew) {
			t.Errorf("%v: %v", vectors, err)
		}
	}
}

// FuzzBytes: a byte is in its bounds and never falls as the value rises.
func FuzzBytes(f *testing.F) {
	f.Add(float32(-1), float32(1), float32(0.25), float32(0.5))
	f.Add(float32(0), float32(0), float32(0), float32(-3e38))
	f.Fuzz(func(t *testing.T, a, b, x, y float32) {
		for _, v := range []float32{a, b, x, y} {
			if math.IsNaN(float64(v)) || math.Abs(float64(v)) > 1e30 {
				t.Skip("not what a model gives")
			}
		}
		r, err := RangesOf([][]float32{{a}, {b}})
		if err != nil {
			t.Fatal(err)
		}
		low, high := r.Uint8(0, min(x, y)), r.Uint8(0, max(x, y))
		if low < 0 || high > 255 || low > high {
			t.Fatalf("range %g to %g: %g is %d and %g is %d", a, b, min(x, y), low, max(x, y), high)
		}
	})
}
