//go:build amd64 && !purego

package kernel

import "encoding/binary"

// Products by AMX. Their weights lie as those of avx512bf16 and avx512vnni do, in
// panels of 64 columns: 16 elements of 16 columns of such a panel are a tile as AMX
// wants it. So are 16 elements of 16 rows of inputs, from whatever row on. Only their
// number is a multiple of 16 here, filled up by zeros.

// tileSteps is how many elements of a sum one instruction takes.
const tileSteps = 16

// mulTiles is an assembly function for blocks of rows.
type mulTiles func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd, rows, blocks int, config *[64]byte)

// newTileSet has a tile for each number of rows up to 32, and one for 4 times 32, which
// takes the tiles' registers once for all its rows. tall are blocks of up to 32 rows,
// low those of up to 16, of which none makes more than 128·1,536·64 multiplications
// a call in this package's use: some microseconds, within which no goroutine can be
// preempted.
func newTileSet(tall, low mulTiles) tileSet {
	const height = 32
	set := tileSet{cols: 64, group: tileSteps, tiles: []tile{tileOf(tall, newTileConfig(2, 2, height), height, 4)}}
	for rows := height; rows > height/2; rows-- {
		set.tiles = append(set.tiles, tileOf(tall, newTileConfig(2, 2, rows), rows, 1))
	}
	for rows := height / 2; rows > 0; rows-- {
		set.tiles = append(set.tiles, tileOf(low, newTileConfig(1, 4, rows), rows, 1))
	}
	return set
}

func tileOf(mul mulTiles, config *[64]byte, rows, blocks int) tile {
	return tile{rows * blocks, func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd int) {
		mul(c, a, b, bias, add, k, ldc, lda, ldb, ldadd, rows, blocks, config)
	}}
}

// newTileConfig is what LDTILECFG takes (Intel SDM volume 2, LDTILECFG): a palette, the
// bytes of a row of each tile from byte 16 on, their rows from 48 on. First come the
// tiles of sums, down x across; then a's, one for each 16 of rows; the others are b's.
func newTileConfig(down, across, rows int) *[64]byte {
	config := &[64]byte{0: 1}
	for t := range 8 {
		height := tileSteps // of b
		switch sums := down * across; {
		case t < sums:
			height = min(rows-16*(t/across), 16)
		case t < sums+down:
			height = min(rows-16*(t-sums), 16)
		}
		binary.LittleEndian.PutUint16(config[16+2*t:], 64)
		config[48+t] = byte(height)
	}
	return config
}

// newAMX is newAVX512BF16 with products of bfloat16 and int8 by AMX.
func newAMX() *Set {
	s := newAVX512BF16()
	s.level, s.best = AMX, BFloat16
	s.linear[BFloat16] = newBFloat16(newTileSet(mul32x64AMXBF16, mul16x64AMXBF16), narrowAVX512BF16)
	s.linear[Int8], s.linear[Int8GELU] = newInt8(newTileSet(mul32x64AMXINT8, mul16x64AMXINT8), quantizeAVX512INT8, largestAVX512VNNI)
	return s
}
