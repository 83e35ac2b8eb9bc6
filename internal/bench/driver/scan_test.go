package driver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestScanVectorFindsEveryByte: whatever stands in a list where a number should, it is
// told wherever it stands, among digits that are passed over many at a time.
func TestScanVectorFindsEveryByte(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("-0.12345,6.7e-05, 9,", 12)
	for at := range 200 {
		for c := range 256 {
			list := []byte("[" + digits + "1],")
			list[1+at] = byte(c)
			_, rest, err := scanVector(list)
			switch want := told(byte(c)); {
			case c == ']' && (err != nil || len(rest) != len(list)-at-2):
				t.Fatalf("] at %d: %d bytes follow, %v", at, len(rest), err)
			case c != ']' && err != want:
				t.Fatalf("%q at %d: %v, want %v", rune(c), at, err, want)
			}
		}
	}
}

// told is what a byte says of a list that should be of numbers. Those that no JSON has
// outside of strings are not looked for.
func told(c byte) error {
	switch {
	case c == 'e', c == 'E', c < '@' && c != '"':
		return nil
	case strings.IndexByte("NIni", c) >= 0:
		return errNaN
	}
	return errMalformed
}

// TestScanVectorOfJSON: among the values that JSON has, only numbers make a vector.
func TestScanVectorOfJSON(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]error{
		"1": nil, "-2.5e-7": nil, "1E+9": nil, "null": errNaN, "NaN": errNaN, "-Infinity": errNaN, "nan": errNaN, "-inf": errNaN,
		`"1"`: errMalformed, `""`: errMalformed, `"abc"`: errMalformed, "true": errMalformed, "[1]": errMalformed, `{"1":2}`: errMalformed, "{}": errMalformed,
	} {
		for _, before := range []int{0, 1, 7, 40, 400} {
			list := "[" + strings.Repeat("0.25,", before) + value + strings.Repeat(", 0.5", before) + "] "
			dim, rest, err := scanVector([]byte(list))
			if err != want || err == nil && (dim != 2*before+1 || string(rest) != " ") {
				t.Errorf("%s after %d numbers: %d values, %q follows, %v; want %v", value, before, dim, rest, err, want)
			}
		}
	}
}

func TestScanVectorCutShort(t *testing.T) {
	t.Parallel()
	whole := []byte("[" + strings.Repeat("0.123,", 40) + "1]")
	for n := range whole {
		if _, _, err := scanVector(whole[:n]); err != errMalformed {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
}

// BenchmarkScanMatrix shows what the look at every byte costs beside reading each byte
// once, which bytes.Count does with the widest registers, and beside a decoding.
func BenchmarkScanMatrix(b *testing.B) {
	vector := "[" + strings.Repeat("0.0123456,-0.0654321,", 191) + "0.25,0.5]"
	reply := []byte("[" + strings.Repeat(vector+",", 31) + vector + "]")
	for name, read := range map[string]func() int{
		"scanMatrix":      func() int { s, _, _ := scanMatrix(reply); return s.count },
		"one bytes.Count": func() int { return bytes.Count(reply, []byte("[")) - 1 },
		"encoding/json":   func() int { var m [][]float32; json.Unmarshal(reply, &m); return len(m) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(reply)))
			for b.Loop() {
				if n := read(); n != 32 {
					b.Fatal(fmt.Errorf("%d vectors", n))
				}
			}
		})
	}
}
