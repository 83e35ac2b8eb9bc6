package kernel

import "math"

// This file defines the arithmetics on pairs for the generic level.

// pairs makes whole groups of 16 values, of which x holds the first, pairs in the
// place of float32s, the first of two in the low half.
func pairs(dst, x []float32, half func(v float32) uint16) {
	at := func(i int) uint32 {
		if i < len(x) {
			return uint32(half(x[i]))
		}
		return 0
	}
	for i := range roundUp(len(x), 16) / 2 {
		dst[i] = math.Float32frombits(at(2*i+1)<<16 | at(2*i))
	}
}

// newBFloat16 is BFloat16 by its kernels.
func newBFloat16(tiles tileSet, narrow func(dst, x []float32, rows, cols, ldd, stride int)) *arithmetic {
	return &arithmetic{
		tiles: tiles, perElement: 2, encode: func(dst, x []float32, _ float32) { narrow(dst, x, 1, len(x), 0, 0) },
		encodeRows: func(dst, x []float32, rows, cols, ldd, stride int, _, _ float32, _ int32) {
			narrow(dst, x, rows, cols, ldd, stride)
		},
	}
}

// narrowGeneric rounds rows to bfloat16, to the nearest, ties to even.
func narrowGeneric(dst, x []float32, rows, cols, ldd, stride int) {
	for r := range rows {
		pairs(dst[r*ldd:], x[r*stride:][:cols], roundBF16)
	}
}

// joinGeneric makes pairs of the elements of two rows, apart from each other, rounded
// to bfloat16, the first row's in the low half.
func joinGeneric(dst, x []float32, rows, cols, ldd, stride, apart int) {
	for r := range rows {
		for i := range cols {
			low, high := x[r*stride+i], x[r*stride+apart+i]
			dst[r*ldd+i] = math.Float32frombits(uint32(roundBF16(high))<<16 | uint32(roundBF16(low)))
		}
	}
}

// roundBF16 is the upper half of x's bits after rounding. A NaN stays one.
func roundBF16(x float32) uint16 {
	bits := math.Float32bits(x)
	if x != x {
		return uint16(bits>>16 | 1<<6)
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// quantizeGeneric rounds x·inverse to integers, to the nearest, ties to even.
func quantizeGeneric(dst, x []float32, inverse float32) {
	pairs(dst, x, func(v float32) uint16 { return uint16(int16(math.RoundToEven(float64(v * inverse)))) })
}

// largestGeneric returns the largest magnitude, 0 when there is no element.
func largestGeneric(x []float32) float32 {
	var largest float32
	for _, v := range x {
		largest = max(largest, float32(math.Abs(float64(v))))
	}
	return largest
}

// mulBF16Generic is mulGeneric on pairs of bfloat16.
func mulBF16Generic(c, a, b, bias, add []float32, k, _, _, ldb, _ int) {
	for j := range 4 {
		var sum float32
		if bias != nil {
			sum = bias[j]
		}
		for i, x := range a[:k] {
			xl, xh := unpairBF16(x)
			yl, yh := unpairBF16(b[i*ldb+j])
			sum += xl*yl + xh*yh
		}
		if add != nil {
			sum += add[j]
		}
		c[j] = sum
	}
}

func unpairBF16(x float32) (low, high float32) {
	bits := math.Float32bits(x)
	return math.Float32frombits(bits << 16), math.Float32frombits(bits &^ 0xffff)
}

// mulInt16Generic is a tile on pairs of int16. The row's scale follows its pairs;
// the columns' follow bias.
func mulInt16Generic(c, a, b, bias, add []float32, k, _, _, ldb, _ int) {
	for j := range 4 {
		var sum int32
		for i, x := range a[:k] {
			xl, xh := unpairInt16(x)
			yl, yh := unpairInt16(b[i*ldb+j])
			sum += xl*yl + xh*yh
		}
		result := float32(sum)*a[k]*bias[4+j] + bias[j]
		if add != nil {
			result += add[j]
		}
		c[j] = result
	}
}

func unpairInt16(x float32) (low, high int32) {
	bits := math.Float32bits(x)
	return int32(int16(bits)), int32(int16(bits >> 16))
}
