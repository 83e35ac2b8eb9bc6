package kernel

import (
	"encoding/binary"
	"math"
	"testing"
)

// halfValue computes a binary16 number by its definition.
func halfValue(h uint16) float64 {
	sign := 1.0
	if h>>15 != 0 {
		sign = -1
	}
	exponent, fraction := int(h>>10&31), float64(h&1023)/1024
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -14)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	}
	return sign * math.Ldexp(1+fraction, exponent-15)
}

func TestFloat16(t *testing.T) {
	t.Parallel()
	for h := range 1 << 16 {
		src := append([]byte{0}, binary.LittleEndian.AppendUint16(nil, uint16(h))...)
		var got [1]float32
		WidenFloat16(got[:], src[1:]) // an odd address
		want := halfValue(uint16(h))
		if math.IsNaN(want) {
			if got[0] == got[0] {
				t.Fatalf("%#04x is %v, should be NaN", h, got[0])
			}
		} else if float64(got[0]) != want || math.Signbit(float64(got[0])) != math.Signbit(want) {
			t.Fatalf("%#04x is %v, should be %v", h, got[0], want)
		}
	}
}

func TestBFloat16AndFloat32(t *testing.T) {
	t.Parallel()
	values := []float32{0, 1, -1.5, 3.140625, float32(math.Inf(1)), 0x1p-130}
	narrow, wide := []byte{0}, []byte{0}
	for _, v := range values {
		narrow = binary.LittleEndian.AppendUint16(narrow, uint16(math.Float32bits(v)>>16))
		wide = binary.LittleEndian.AppendUint32(wide, math.Float32bits(v))
	}
	a, b := make([]float32, len(values)), make([]float32, len(values))
	WidenBFloat16(a, narrow[1:])
	WidenFloat32(b, wide[1:])
	for i, v := range values { // all have at most 8 significant bits
		if a[i] != v || b[i] != v {
			t.Errorf("%v read as %v from bfloat16 and %v from float32", v, a[i], b[i])
		}
	}
}
