package wire

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// value is the number that the bits of a small format stand for: its definition,
// written another way than the rounding.
func (f *small) value(bits uint32) float64 {
	exponent, fraction := int(bits>>f.fraction)&(1<<(f.width-1-f.fraction)-1), bits&(1<<f.fraction-1)
	magnitude := math.Ldexp(float64(fraction), 1-f.bias-f.fraction)
	if exponent > 0 {
		magnitude = math.Ldexp(1+math.Ldexp(float64(fraction), -f.fraction), exponent-f.bias)
	}
	if bits>>(f.width-1) != 0 {
		return -magnitude
	}
	return magnitude
}

// TestNarrowEveryValue: every value of a format stays itself, and around the
// middle of two neighbours the nearer one wins, in the middle the even one.
func TestNarrowEveryValue(t *testing.T) {
	t.Parallel()
	for _, e := range []Element{Float16, BFloat16, FP8E4M3, FP8E5M2} {
		f := &smalls[e]
		for bits := uint32(0); bits <= f.largest; bits++ {
			x := float32(f.value(bits))
			if got := uint32(narrow(x, e)); got != bits {
				t.Fatalf("format %d: %g is %#x, want %#x", e, x, got, bits)
			}
			if got := uint32(narrow(-x, e)); got != bits|1<<(f.width-1) {
				t.Fatalf("format %d: %g is %#x", e, -x, got)
			}
			if bits == f.largest {
				continue
			}
			middle := float32((f.value(bits) + f.value(bits+1)) / 2)
			even := bits + bits&1
			for x, want := range map[float32]uint32{middle: even, math.Nextafter32(middle, 0): bits, math.Nextafter32(middle, math.MaxFloat32): bits + 1} {
				if e == BFloat16 && bits == 0 && x != middle {
					continue // float32 has no value so near
				}
				if got := uint32(narrow(x, e)); got != want {
					t.Fatalf("format %d: %g, around the middle of %#x and %#x, is %#x, want %#x", e, x, bits, bits+1, got, want)
				}
			}
		}
	}
}

func TestNarrowBeyond(t *testing.T) {
	t.Parallel()
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		x    float32
		e    Element
		want uint16
	}{
		{65519, Float16, 0x7bff}, {65520, Float16, 0x7c00}, {-1e30, Float16, 0xfc00}, {inf, Float16, 0x7c00}, {nan, Float16, 0x7e00},
		{math.MaxFloat32, BFloat16, 0x7f80}, {-inf, BFloat16, 0xff80}, {math.SmallestNonzeroFloat32, BFloat16, 0},
		{464, FP8E4M3, 0x7e}, {465, FP8E4M3, 0x7f}, {-inf, FP8E4M3, 0xff}, {1e-30, FP8E4M3, 0}, {-1e-30, FP8E4M3, 0x80},
		{61439, FP8E5M2, 0x7b}, {61440, FP8E5M2, 0x7c},
	} {
		if got := narrow(c.x, c.e); got != c.want && !(math.IsNaN(float64(c.x)) && got&0x7fff > 0x7c00) {
			t.Errorf("%g in format %d: %#x, want %#x", c.x, c.e, got, c.want)
		}
	}
}

func TestElements(t *testing.T) {
	t.Parallel()
	v := []float32{1, -2, 0.5}
	for _, c := range []struct {
		e     Element
		order binary.ByteOrder
		want  string
	}{
		{Float32, binary.LittleEndian, "\x00\x00\x80\x3f\x00\x00\x00\xc0\x00\x00\x00\x3f"},
		{Float32, binary.BigEndian, "\x3f\x80\x00\x00\xc0\x00\x00\x00\x3f\x00\x00\x00"},
		{Float16, binary.LittleEndian, "\x00\x3c\x00\xc0\x00\x38"},
		{Float16, binary.BigEndian, "\x3c\x00\xc0\x00\x38\x00"},
		{BFloat16, binary.LittleEndian, "\x80\x3f\x00\xc0\x00\x3f"},
		{FP8E4M3, binary.BigEndian, "\x38\xc0\x30"},
		{FP8E5M2, binary.LittleEndian, "\x3c\xc0\x38"},
	} {
		var out bytes.Buffer
		w := NewWriter(&out)
		w.Elements(v, c.e, c.order)
		if w.Close(); out.String() != c.want || out.Len() != c.e.Size()*len(v) {
			t.Errorf("format %d, %v: % x, want % x", c.e, c.order, out.Bytes(), c.want)
		}
	}
}

func FuzzNarrow(f *testing.F) {
	f.Add(uint32(0x3f800000))
	f.Add(rand.Uint32())
	f.Fuzz(func(t *testing.T, u uint32) {
		x := math.Float32frombits(u)
		for e := Float16; e <= FP8E5M2; e++ {
			small := &smalls[e]
			bits := uint32(narrow(x, e))
			if magnitude := bits &^ (1 << (small.width - 1)); magnitude > small.largest {
				continue // beyond, or no number
			}
			far := math.Abs(small.value(bits) - float64(x))
			for _, other := range []uint32{bits - 1, bits + 1} {
				if m := other &^ (1 << (small.width - 1)); m <= small.largest && math.Abs(small.value(other)-float64(x)) < far {
					t.Fatalf("%g in format %d: %#x, but %#x is nearer", x, e, bits, other)
				}
			}
		}
	})
}
