//go:build amd64 && !purego

package kernel

import "encoding/binary"

// Products by AMX. 16 elements of up to 16 rows of inputs are a tile as AMX wants it,
// from whatever row on, and so is a square of weights.

// mulTiles and narrowTiles are assembly functions for blocks of rows.
type (
	mulTiles    func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd, rows, blocks, pace, ahead int, config *[64]byte)
	narrowTiles func(dst, a, b, bias []float32, k, lda, ldb, rows, blocks, pace, ahead int, config *[64]byte)
)

// tileHeight is how many rows a block has, unless it is the last.
const tileHeight = 2 * tileRows

// tileConfigs are the shapes of tiles for blocks of up to tileHeight rows.
var tileConfigs = func() (list [tileHeight + 1]*[64]byte) {
	for rows := range list {
		list[rows] = newTileConfig(rows)
	}
	return list
}()

// newTileConfig is what LDTILECFG takes (Intel SDM volume 2, LDTILECFG): a palette, the
// bytes of a row of each tile from byte 16 on, their rows from 48 on. Tiles 0 to 3 are
// sums, two by two; 4 and 5 are a's, one for each 16 of rows; 6 and 7 are b's.
func newTileConfig(rows int) *[64]byte {
	config := &[64]byte{0: 1}
	upper, lower := min(rows, tileRows), max(rows-tileRows, 0)
	for t, height := range []int{upper, upper, lower, lower, upper, lower, tileRows, tileRows} {
		if height > 0 {
			binary.LittleEndian.PutUint16(config[16+2*t:], 64)
			config[48+t] = byte(height)
		}
	}
	return config
}

// tileCalls calls f for the rows of a product: once for all its whole blocks, and once
// for what is left. None makes more than 256·1,536·32 multiplications in this package's
// use: some microseconds, within which no goroutine can be preempted.
func tileCalls(rows, k int, f func(row, rows, blocks, pace, ahead int)) {
	steps, all := k/tileRows, (rows+tileHeight-1)/tileHeight
	ahead := (tileHeight + all - 1) / all // of the next panel's lines, of which there are 32 a step
	pace := (tileHeight + steps - 1) / steps
	whole := rows / tileHeight
	if whole > 0 {
		f(0, tileHeight, whole, pace, ahead)
	}
	if rest := rows % tileHeight; rest > 0 {
		f(whole*tileHeight, rest, 1, pace, ahead)
	}
}

// mulBlocks is a blockSet's product by the functions for blocks of up to 32 rows and of
// up to 16.
func mulBlocks(tall, low mulTiles) func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd, rows int) {
	return func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd, rows int) {
		tileCalls(rows, k, func(row, rows, blocks, pace, ahead int) {
			mul := tall
			if rows <= tileRows {
				mul = low
			}
			mul(c[row*ldc:], a[row*blockElements:], b, bias, add[row*ldadd:], k, ldc, lda, ldb, ldadd, rows, blocks, pace, ahead, tileConfigs[rows])
		})
	}
}

func narrowBlocks(tall, low narrowTiles) func(dst, a, b, bias []float32, k, lda, ldb, rows int) {
	return func(dst, a, b, bias []float32, k, lda, ldb, rows int) {
		tileCalls(rows, k, func(row, rows, blocks, pace, ahead int) {
			mul := tall
			if rows <= tileRows {
				mul = low
			}
			mul(dst[row*blockElements:], a[row*blockElements:], b, bias, k, lda, ldb, rows, blocks, pace, ahead, tileConfigs[rows])
		})
	}
}

// newAMX is newAVX512BF16 with products of bfloat16 and int8 by AMX.
func newAMX() *Set {
	s := newAVX512BF16()
	s.level, s.best = AMX, BFloat16
	squares := tileSet{cols: blockCols, squares: true, square: transposeAVX512}
	s.linear[BFloat16] = newBFloat16(squares, narrowAVX512BF16)
	s.linear[BFloat16].blocks = &blockSet{
		mul:         mulBlocks(mul32x32AMXBF16, mul16x32AMXBF16),
		gelu:        mulBlocks(mulGELU32x32AMXBF16, mulGELU16x32AMXBF16),
		narrow:      narrowBlocks(mulNarrow32x32AMXBF16, mulNarrow16x32AMXBF16),
		narrowGELU:  narrowBlocks(mulGELUNarrow32x32AMXBF16, mulGELUNarrow16x32AMXBF16),
		encodeBlock: narrowAVX512BF16,
	}
	s.attend[BFloat16] = &attendSet{
		tileSet: squares, blocks: s.linear[BFloat16].blocks, narrow: narrowAVX512BF16, join: joinAVX512BF16,
		whole: map[int]attendFunc{32: attendTiles(attend32AMXBF16), 64: attendTiles(attend64AMXBF16)},
	}
	plain, gelu := newInt8(squares, quantizeAVX512INT8, largestAVX512VNNI)
	plain.blocks = &blockSet{
		mul:    mulBlocks(mul32x32AMXINT8, mul16x32AMXINT8),
		gelu:   mulBlocks(mulGELU32x32AMXINT8, mulGELU16x32AMXINT8),
		narrow: narrowBlocks(mulNarrow32x32AMXINT8, mulNarrow16x32AMXINT8),
	}
	gelu.blocks = plain.blocks
	s.linear[Int8], s.linear[Int8GELU] = plain, gelu
	return s
}

// attendTiles is an attendFunc by its assembly.
func attendTiles(attend func(dst, q, k, v, keys, values, scores, weights, out, inverse []float32, starts []int32, lda, ldd int, config *[64]byte)) attendFunc {
	return func(m *headMemory, dst Matrix, x *Activations, q, k, v int, starts []int32) {
		m.grow(longest(starts), dst.Cols)
		attend(dst.Data, x.block(q/2), x.block(k/2), x.block(v/2), m.keys, m.values, m.scores, m.weights, m.out, m.inverses,
			starts, blockElements*x.values.Rows, dst.Stride, tileConfigs[tileHeight])
	}
}
