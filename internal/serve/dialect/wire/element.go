package wire

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"unsafe"
)

// Element is the format of a vector's values where they are written as bytes.
type Element int

// The formats that vLLM knows. FP8E4M3 is the one without infinities, "fn".
const (
	Float32 Element = iota
	Float16
	BFloat16
	FP8E4M3
	FP8E5M2
)

// Size is the bytes of one value.
func (e Element) Size() int { return [...]int{4, 2, 2, 1, 1}[e] }

// Base64 writes the values of v, in the given format and byte order, as a JSON
// string.
func (w *Writer) Base64(v []float32, e Element, order binary.ByteOrder) {
	w.Raw(`"`)
	w.buf = base64.StdEncoding.AppendEncode(w.buf, elements(v, e, order))
	w.Raw(`"`)
	w.flushIfFull()
}

// Elements writes the values of v as raw bytes in the given format and order.
func (w *Writer) Elements(v []float32, e Element, order binary.ByteOrder) {
	w.Bytes(elements(v, e, order))
}

// elements is v's own memory where that is what is wanted.
func elements(v []float32, e Element, order binary.ByteOrder) []byte {
	if e == Float32 && order.Uint16([]byte{1, 0}) == binary.NativeEndian.Uint16([]byte{1, 0}) {
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
	}
	size := e.Size()
	b := make([]byte, size*len(v))
	for i, x := range v {
		switch size {
		case 4:
			order.PutUint32(b[4*i:], math.Float32bits(x))
		case 2:
			order.PutUint16(b[2*i:], narrow(x, e))
		default:
			b[i] = byte(narrow(x, e))
		}
	}
	return b
}

// small is a floating-point format of 8 or 16 bits: a sign, an exponent, a
// fraction, and denormal numbers below.
type small struct {
	width, fraction, bias int
	largest, above, nan   uint32 // without the sign: the largest finite value, what is above it, no number
}

var smalls = [...]small{
	Float16:  {16, 10, 15, 0x7bff, 0x7c00, 0x7e00},
	BFloat16: {16, 7, 127, 0x7f7f, 0x7f80, 0x7fc0},
	FP8E4M3:  {8, 3, 7, 0x7e, 0x7f, 0x7f},
	FP8E5M2:  {8, 2, 15, 0x7b, 0x7c, 0x7f},
}

// The format of a float32.
const (
	infinity     = 0xff << fractionBits
	fractionBits = 23
	hidden       = 1 << fractionBits
)

// narrow rounds x to the nearest value of the format, ties to even.
func narrow(x float32, e Element) uint16 {
	f := &smalls[e]
	u := math.Float32bits(x)
	sign := u >> 31 << (f.width - 1)
	switch u &= 1<<31 - 1; {
	case u > infinity:
		return uint16(sign | f.nan)
	case u == infinity:
		return uint16(sign | f.above)
	}
	// x is significand * 2^(exponent-150), with its leading 1 unless it is denormal.
	exponent, significand := max(int(u>>fractionBits), 1), u&(hidden-1)
	if u >= hidden {
		significand |= hidden
	}
	above := exponent - 127 + f.bias - 1 // of the format's denormal exponent
	shift := fractionBits - f.fraction
	if above < 0 {
		shift, above = shift-above, 0
	}
	if shift > fractionBits+2 {
		return uint16(sign) // less than half of the smallest
	}
	// A carry out of the fraction, and the leading 1 itself, raise the exponent.
	bits := uint32(above)<<f.fraction + nearestShift(significand, shift)
	if bits > f.largest {
		bits = f.above
	}
	return uint16(sign | bits)
}

// nearestShift is n / 2^shift to the nearest, ties to even.
func nearestShift(n uint32, shift int) uint32 {
	half := uint32(1) << shift >> 1
	odd := n >> shift & 1
	return (n + half - 1 + odd) >> shift
}
