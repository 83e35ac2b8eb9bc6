package kernel

import "math"

// newInt16 is Int16 by its kernels.
func newInt16(tiles tileSet, quantize func(dst, x []float32, inverse float32), largest func(x []float32) float32) *arithmetic {
	return &arithmetic{tiles: tiles, perElement: 2, encode: quantize, largest: largest, levels: topInt}
}

// newInt8 is Int8 and Int8GELU by their kernels.
func newInt8(tiles tileSet, quantize func(dst, x []float32, shift, inverse float32, zero int32), largest func(x []float32) float32) (plain, gelu *arithmetic) {
	plain = &arithmetic{
		tiles: tiles, perElement: 4, largest: largest, levels: topByte, bytes: true, zero: zeroByte,
		encode: func(dst, x []float32, inverse float32) { quantize(dst, x, 0, inverse, zeroByte) },
	}
	gelu = &arithmetic{
		tiles: tiles, perElement: 4, largest: largest, levels: 255, least: leastGELU, bytes: true, weights: plain,
		encode: func(dst, x []float32, inverse float32) { quantize(dst, x, -leastGELU, inverse, 0) },
	}
	return plain, gelu
}

// quantizeBytesGeneric rounds (x+shift)·inverse, ties to even, and adds zero, in
// groups of 16 values, of which x holds the first; the others count as 0.
func quantizeBytesGeneric(dst, x []float32, shift, inverse float32, zero int32) {
	at := func(i int) uint32 {
		v := float32(0)
		if i < len(x) {
			v = x[i]
		}
		n := int32(math.RoundToEven(float64((v+shift)*inverse))) + zero
		return uint32(min(max(n, 0), 255))
	}
	for i := range roundUp(len(x), 16) / 4 {
		dst[i] = math.Float32frombits(at(4*i+3)<<24 | at(4*i+2)<<16 | at(4*i+1)<<8 | at(4*i))
	}
}

// mulInt8Generic is a tile on quadruples of bytes. The row's scale follows them; the
// columns' scales and corrections follow bias.
func mulInt8Generic(c, a, b, bias, add []float32, k, _, _, ldb, _ int) {
	for j := range 4 {
		sum := int32(math.Float32bits(bias[8+j]))
		for i, x := range a[:k] {
			u, n := math.Float32bits(x), math.Float32bits(b[i*ldb+j])
			for shift := 0; shift < 32; shift += 8 {
				sum += int32(uint8(u>>shift)) * int32(int8(n>>shift))
			}
		}
		result := float32(sum)*a[k]*bias[4+j] + bias[j]
		if add != nil {
			result += add[j]
		}
		c[j] = result
	}
}
