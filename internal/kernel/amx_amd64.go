//go:build amd64 && !purego

package kernel

// Products by AMX. 16 elements of up to 16 rows of inputs are a tile as AMX wants it,
// from whatever row on, and so is a square of weights.

// mulTiles and narrowTiles are assembly functions for one or two tiles of rows at a time.
type (
	mulTiles    func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldpanel, ldbias, ldadd, across, rows, panels, pace, ahead int)
	narrowTiles func(c, a, b, bias []float32, k, ldc, lda, ldb, ldpanel, ldbias, rows, panels, pace, ahead int)
)

// tileHeight is how many rows a block has, unless there are no more than tileRows.
const tileHeight = 2 * tileRows

// pace is how many of a block's rows are finished after each 16 of k steps.
func pace(k int) int { return (tileHeight*tileRows + k - 1) / k }

// ahead is how many of the next panel's lines, of which there are 32 for each 16 steps, are
// asked for after as many: all of them by the last block. One block goes through panels so
// fast that asking would cost more than what the processor foresees by itself.
func ahead(rows int) int {
	if rows <= tileHeight {
		return 1
	}
	return max(2*tileRows/((rows+tileHeight-1)/tileHeight), 1)
}

// forRows is the function for as many rows: low for those that one tile holds.
func forRows[F any](rows int, tall, low F) F {
	if rows <= tileRows {
		return low
	}
	return tall
}

// mulBlocks is a blockSet's product by the functions for tall and for low blocks.
func mulBlocks(tall, low mulTiles) func(p blockProduct) {
	return func(p blockProduct) {
		mul := forRows(p.rows, tall, low)
		mul(p.c, p.a, p.b, p.bias, p.add, p.k, p.ldc, p.lda, p.ldb, p.ldpanel, p.ldbias, p.ldadd, p.across, p.rows, p.panels, pace(p.k), ahead(p.rows))
	}
}

// narrowBlocks is the same for a product that is rounded.
func narrowBlocks(tall, low narrowTiles) func(p blockProduct) {
	return func(p blockProduct) {
		mul := forRows(p.rows, tall, low)
		mul(p.c, p.a, p.b, p.bias, p.k, p.ldc, p.lda, p.ldb, p.ldpanel, p.ldbias, p.rows, p.panels, pace(p.k), ahead(p.rows))
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
	plain, gelu := newInt8(squares, quantizeAVX512INT8, largestAVX512INT16)
	plain.blocks = &blockSet{
		mul:    mulBlocks(mul32x32AMXINT8, mul16x32AMXINT8),
		gelu:   mulBlocks(mulGELU32x32AMXINT8, mulGELU16x32AMXINT8),
		narrow: narrowBlocks(mulNarrow32x32AMXINT8, mulNarrow16x32AMXINT8),

		quantize: quantizeRowsAMXINT8,
	}
	gelu.blocks = plain.blocks
	s.linear[Int8], s.linear[Int8GELU] = plain, gelu
	return s
}

// attendTiles is an attendFunc by its assembly.
func attendTiles(attend func(dst, q, k, v, keys, values, scores, weights, out, inverse []float32, starts []int32, lda, ldd int)) attendFunc {
	return func(m *headMemory, dst, _ Matrix, q, k, v int, starts []int32) {
		x := &m.x
		m.grow(longest(starts), dst.Cols/2)
		attend(dst.Data, x.block(q/2), x.block(k/2), x.block(v/2), m.keys, m.values, m.scores, m.weights, m.out, m.inverses,
			starts, blockElements*x.values.Rows, dst.Stride)
	}
}
