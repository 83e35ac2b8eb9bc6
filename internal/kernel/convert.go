package kernel

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// The converters read little-endian numbers as checkpoints store them, at any
// alignment, into len(dst) float32. src holds at least that many.

// inOrder tells whether the machine keeps numbers as checkpoints do.
var inOrder = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// WidenFloat32 copies IEEE 754 binary32 numbers.
func WidenFloat32(dst []float32, src []byte) {
	src = src[:4*len(dst)]
	if inOrder {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(dst))), len(src)), src)
		return
	}
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

// WidenBFloat16 widens bfloat16 numbers, which are the upper halves of binary32.
func WidenBFloat16(dst []float32, src []byte) {
	src = src[:2*len(dst)]
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

// WidenFloat16 widens IEEE 754 binary16 numbers. Every binary16 number, NaN payloads
// included, has an exact binary32 counterpart.
func WidenFloat16(dst []float32, src []byte) {
	src = src[:2*len(dst)]
	for i := range dst {
		dst[i] = widenHalf(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

func widenHalf(h uint16) float32 {
	const (
		fraction = 0x3ff
		rebias   = 127 - 15
	)
	sign, exponent, mantissa := uint32(h>>15)<<31, uint32(h>>10&0x1f), uint32(h&fraction)
	switch exponent {
	case 0: // zero or subnormal: mantissa·2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(mantissa)*0x1p-24))
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | mantissa<<13)
	}
	return math.Float32frombits(sign | (exponent+rebias)<<23 | mantissa<<13)
}
