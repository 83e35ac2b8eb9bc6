//go:build arm64 && !purego

package kernel

import "golang.org/x/sys/cpu"

// machineRungs lists the levels above Generic that this machine has, lowest first.
// Armv8.6 asks for I8MM and BF16 alike. Some processors have the first without the
// second, which Linux denies where BFMMLA is faulty; none is known the other way round.
func machineRungs() []rung {
	rungs := []rung{{NEON, newNEON}} // every arm64 has it
	if !cpu.ARM64.HasASIMDDP {
		return rungs
	}
	rungs = append(rungs, rung{NEONDot, newNEONDot})
	if !cpu.ARM64.HasI8MM {
		return rungs
	}
	rungs = append(rungs, rung{NEONI8MM, newNEONI8MM})
	if hasBF16() {
		rungs = append(rungs, rung{NEONBF16, newNEONBF16})
	}
	return rungs
}

func newNEON() *Set {
	tiles := tileSet{cols: 16, tiles: []tile{inTurn(6, mul6x16NEON), inTurn(4, mul4x16NEON), inTurn(2, mul2x16NEON), inTurn(1, mul1x16NEON)}}
	return &Set{
		level:  NEON,
		linear: map[DType]*arithmetic{Float32: {tiles: tiles}},
		best:   Float32,
		attend: map[DType]*attendSet{Float32: {tileSet: tiles}},
		vector: vectors{
			dot: dotNEON, add: addNEON, scale: scaleNEON, multiply: multiplyNEON, max: maxNEON, exp2Sum: exp2SumNEON,
			sum: sumNEON, deviation: deviationNEON, normalize: normalizeNEON, gelu: geluNEON, geluNear: geluNearNEON,
			softmax: softmaxNEON, divide: divideNEON,
		},
		peak: peak{peakNEON, 24 * 4 * 2},
	}
}

// newNEONDot adds products of int8 to newNEON. SDOT takes inputs as signed bytes, 128
// less than they are, which changes what an input's zero is; weights are encoded as
// everywhere.
func newNEONDot() *Set {
	s := newNEON()
	s.level = NEONDot
	tiles := tileSet{cols: 16, tiles: []tile{
		inTurn(6, mul6x16NEONDOT), inTurn(4, mul4x16NEONDOT), inTurn(2, mul2x16NEONDOT), inTurn(1, mul1x16NEONDOT),
	}}
	plain, gelu := newInt8(tiles, func(dst, x []float32, shift, inverse float32, zero int32) {
		quantizeNEONDOT(dst, x, shift, inverse, zero-zeroByte)
	}, largestNEON)
	unsigned, _ := newInt8(tiles, quantizeNEON, largestNEON)
	for _, a := range []*arithmetic{plain, gelu} {
		a.zero -= zeroByte
		a.weights = unsigned
	}
	s.linear[Int8], s.linear[Int8GELU] = plain, gelu
	return s
}

// newNEONI8MM adds products of int8 to newNEON, twice as many an instruction as
// newNEONDot's.
func newNEONI8MM() *Set {
	s := newNEON()
	s.level = NEONI8MM
	s.linear[Int8], s.linear[Int8GELU] = newInt8(tileSet{cols: 16, twos: true, tiles: []tile{
		inTurn(6, mul6x16NEONI8MM), inTurn(4, mul4x16NEONI8MM), inTurn(2, mul2x16NEONI8MM), inTurn(1, mul1x16NEONI8MM),
	}}, quantizeNEON, largestNEON)
	return s
}

// newNEONBF16 adds the products of bfloat16 to newNEONI8MM.
func newNEONBF16() *Set {
	s := newNEONI8MM()
	s.level, s.best = NEONBF16, BFloat16
	tiles := tileSet{cols: 16, twos: true, tiles: []tile{
		inTurn(6, mul6x16NEONBF16), inTurn(4, mul4x16NEONBF16), inTurn(2, mul2x16NEONBF16), inTurn(1, mul1x16NEONBF16),
	}}
	s.linear[BFloat16] = newBFloat16(tiles, narrowNEONBF16)
	s.attend[BFloat16] = &attendSet{tileSet: tiles, narrow: narrowNEONBF16, join: joinNEONBF16}
	return s
}
