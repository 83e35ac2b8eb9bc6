//go:build amd64 && !purego

package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/cpu"
)

// machineRungs lists the levels above Generic that this machine has, lowest first.
// Package cpu reports AVX2, AVX-VNNI, FMA and AVX-512 only where XCR0 says that the
// operating system saves their registers, so what it reports may be used.
func machineRungs() []rung {
	var rungs []rung
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA || !cpu.X86.HasBMI2 {
		return rungs
	}
	rungs = append(rungs, rung{AVX2, newAVX2})
	if cpu.X86.HasAVXVNNI {
		rungs = append(rungs, rung{AVX2VNNI, newAVX2VNNI})
	}
	if !cpu.X86.HasAVX512F || !cpu.X86.HasAVX512BW || !cpu.X86.HasAVX512DQ || !cpu.X86.HasAVX512VL {
		return rungs
	}
	rungs = append(rungs, rung{AVX512, newAVX512})
	if cpu.X86.HasAVX512VNNI {
		rungs = append(rungs, rung{AVX512VNNI, newAVX512VNNI})
	}
	if cpu.X86.HasAVX512VNNI && cpu.X86.HasAVX512BF16 {
		rungs = append(rungs, rung{AVX512BF16, newAVX512BF16})
		if cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && cpu.X86.HasAMXInt8 && tilesPermitted() {
			rungs = append(rungs, rung{AMX, newAMX})
		}
	}
	return rungs
}

func newAVX2() *Set {
	tiles := tileSet{cols: 16, tiles: []tile{{6, mul6x16AVX2}, {4, mul4x16AVX2}, {2, mul2x16AVX2}, {1, mul1x16AVX2}}}
	int8, int8GELU := int8AVX2()
	return &Set{
		level: AVX2,
		linear: map[DType]*arithmetic{Float32: {tiles: tiles}, Int16: newInt16(tileSet{cols: 16, tiles: []tile{
			{6, mul6x16AVX2INT16}, {4, mul4x16AVX2INT16}, {2, mul2x16AVX2INT16}, {1, mul1x16AVX2INT16},
		}, gelu: []tile{
			{6, mulGELU6x16AVX2INT16}, {4, mulGELU4x16AVX2INT16}, {2, mulGELU2x16AVX2INT16}, {1, mulGELU1x16AVX2INT16},
		}}, quantizeAVX2INT16, largestAVX2INT16), Int8: int8, Int8GELU: int8GELU},
		best:   Int16,
		attend: map[DType]*attendSet{Float32: {tileSet: tiles}},
		vector: vectors{
			dot: dotAVX2, add: addAVX2, scale: scaleAVX2, multiply: multiplyAVX2, max: maxAVX2, exp2Sum: exp2SumAVX2,
			sum: sumAVX2, deviation: deviationAVX2, normalize: normalizeAVX2, gelu: geluAVX2, geluNear: geluNearAVX2,
			softmax: softmaxAVX2, divide: divideAVX2,
		},
		peak: peak{peakAVX2, 12 * 8 * 2},
	}
}

// newAVX2VNNI adds quicker products of integers to newAVX2.
func newAVX2VNNI() *Set {
	s := newAVX2()
	s.level = AVX2VNNI
	s.linear[Int16] = newInt16(tileSet{cols: 16, tiles: []tile{
		{6, mul6x16AVX2VNNI}, {4, mul4x16AVX2VNNI}, {2, mul2x16AVX2VNNI}, {1, mul1x16AVX2VNNI},
	}, gelu: []tile{
		{6, mulGELU6x16AVX2VNNI}, {4, mulGELU4x16AVX2VNNI}, {2, mulGELU2x16AVX2VNNI}, {1, mulGELU1x16AVX2VNNI},
	}}, quantizeAVX2INT16, largestAVX2INT16)
	s.linear[Int8], s.linear[Int8GELU] = newInt8(tileSet{cols: 16, tiles: []tile{
		{6, mul6x16AVX2VNNIINT8}, {4, mul4x16AVX2VNNIINT8}, {2, mul2x16AVX2VNNIINT8}, {1, mul1x16AVX2VNNIINT8},
	}, gelu: []tile{
		{6, mulGELU6x16AVX2VNNIINT8}, {4, mulGELU4x16AVX2VNNIINT8}, {2, mulGELU2x16AVX2VNNIINT8}, {1, mulGELU1x16AVX2VNNIINT8},
	}}, quantizeAVX2INT8, largestAVX2INT16)
	return s
}

// int8AVX2 is Int8 and Int8GELU of levels without VNNI.
func int8AVX2() (plain, gelu *arithmetic) {
	return inNarrowSums(newInt8(tileSet{cols: 16, tiles: []tile{
		{4, mul4x16AVX2INT8}, {2, mul2x16AVX2INT8}, {1, mul1x16AVX2INT8},
	}, gelu: []tile{
		{4, mulGELU4x16AVX2INT8}, {2, mulGELU2x16AVX2INT8}, {1, mulGELU1x16AVX2INT8},
	}}, quantizeAVX2INT8, largestAVX2INT16))
}

func newAVX512() *Set {
	int8, int8GELU := int8AVX2()
	return &Set{
		level: AVX512,
		linear: map[DType]*arithmetic{Float32: {tiles: tileSet{cols: 64, tiles: []tile{
			{6, mul6x64AVX512}, {4, mul4x64AVX512}, {2, mul2x64AVX512}, {1, mul1x64AVX512},
		}, gelu: []tile{
			{6, mulGELU6x64AVX512}, {4, mulGELU4x64AVX512}, {2, mulGELU2x64AVX512}, {1, mulGELU1x64AVX512},
		}}}, Int16: newInt16(tileSet{cols: 64, tiles: []tile{
			{6, mul6x64AVX512INT16}, {4, mul4x64AVX512INT16}, {2, mul2x64AVX512INT16}, {1, mul1x64AVX512INT16},
		}, gelu: []tile{
			{6, mulGELU6x64AVX512INT16}, {4, mulGELU4x64AVX512INT16}, {2, mulGELU2x64AVX512INT16}, {1, mulGELU1x64AVX512INT16},
		}}, quantizeAVX512INT16, largestAVX512INT16), Int8: int8, Int8GELU: int8GELU},
		best: Int16,
		attend: map[DType]*attendSet{Float32: {tileSet: tileSet{cols: 32, square: transposeAVX512, tiles: []tile{
			{12, mul12x32AVX512}, {8, mul8x32AVX512}, {4, mul4x32AVX512}, {2, mul2x32AVX512}, {1, mul1x32AVX512},
		}}, whole: map[int]attendFunc{32: attendRows(attend32AVX512, 1), 64: attendRows(attend64AVX512, 1)}}},
		vector: vectors{
			dot: dotAVX512, add: addAVX512, scale: scaleAVX512, multiply: multiplyAVX512, max: maxAVX512, exp2Sum: exp2SumAVX512,
			sum: sumAVX512, deviation: deviationAVX512, normalize: normalizeAVX512, gelu: geluAVX512, geluNear: geluNearAVX512,
			softmax: softmaxAVX512, divide: divideAVX512, layerNorm: layerNormAVX512,
		},
		peak: peak{peakAVX512, 24 * 16 * 2},
	}
}

// newAVX512VNNI adds quicker products of int16 and those of int8 to newAVX512.
func newAVX512VNNI() *Set {
	s := newAVX512()
	s.level = AVX512VNNI
	s.linear[Int16] = newInt16(tileSet{cols: 64, tiles: []tile{
		{6, mul6x64AVX512VNNI}, {4, mul4x64AVX512VNNI}, {2, mul2x64AVX512VNNI}, {1, mul1x64AVX512VNNI},
	}, gelu: []tile{
		{6, mulGELU6x64AVX512VNNI}, {4, mulGELU4x64AVX512VNNI}, {2, mulGELU2x64AVX512VNNI}, {1, mulGELU1x64AVX512VNNI},
	}}, quantizeAVX512INT16, largestAVX512INT16)
	s.linear[Int8], s.linear[Int8GELU] = newInt8(tileSet{cols: 64, tiles: []tile{
		{6, mul6x64AVX512INT8}, {4, mul4x64AVX512INT8}, {2, mul2x64AVX512INT8}, {1, mul1x64AVX512INT8},
	}, gelu: []tile{
		{6, mulGELU6x64AVX512INT8}, {4, mulGELU4x64AVX512INT8}, {2, mulGELU2x64AVX512INT8}, {1, mulGELU1x64AVX512INT8},
	}}, quantizeAVX512INT8, largestAVX512INT16)
	s.linear[Int8].encodeRows, s.linear[Int8GELU].encodeRows = quantizeRowsAVX512INT8, quantizeRowsAVX512INT8
	s.attend[Int16] = s.attend[Float32].inIntegers(attendRows(attend32AVX512VNNI, 2), attendRows(attend64AVX512VNNI, 2))
	return s
}

// newAVX512BF16 adds the products of bfloat16 to newAVX512VNNI.
func newAVX512BF16() *Set { return newAVX512BF16Of(vendor()) }

func newAVX512BF16Of(vendor string) *Set {
	s := newAVX512VNNI()
	s.level = AVX512BF16
	s.linear[BFloat16] = newBFloat16(tileSet{cols: 64, tiles: []tile{
		{6, mul6x64AVX512BF16}, {4, mul4x64AVX512BF16}, {2, mul2x64AVX512BF16}, {1, mul1x64AVX512BF16},
	}, gelu: []tile{
		{6, mulGELU6x64AVX512BF16}, {4, mulGELU4x64AVX512BF16}, {2, mulGELU2x64AVX512BF16}, {1, mulGELU1x64AVX512BF16},
	}, geluNarrow: []tile{
		{6, mulGELUNarrow6x64AVX512BF16}, {4, mulGELUNarrow4x64AVX512BF16}, {2, mulGELUNarrow2x64AVX512BF16}, {1, mulGELUNarrow1x64AVX512BF16},
	}}, narrowAVX512BF16)
	if !quickBF16(vendor) {
		return s
	}
	s.best = BFloat16
	s.attend[BFloat16] = &attendSet{narrow: narrowAVX512BF16, join: joinAVX512BF16, tileSet: tileSet{cols: 32, square: transposeAVX512, tiles: []tile{
		{12, mul12x32AVX512BF16}, {8, mul8x32AVX512BF16}, {4, mul4x32AVX512BF16}, {2, mul2x32AVX512BF16}, {1, mul1x32AVX512BF16},
	}}, whole: map[int]attendFunc{32: attendRows(attend32AVX512BF16, 2), 64: attendRows(attend64AVX512BF16, 2)}}
	return s
}

// attendRows is an attendFunc by its assembly, which multiplies so many columns at once.
// Weights that are not rounded take the scores' place.
func attendRows(attend func(dst, q, k, v, keys, values, scores, weights, queries, inverse []float32, starts []int32, lda, ldd int), together int) attendFunc {
	return func(m *headMemory, dst, qkv Matrix, q, k, v int, starts []int32) {
		raceReadMatrix(qkv)
		m.grow(longest(starts), dst.Cols/together)
		weights := m.weights
		if together == 1 {
			weights = m.scores
		}
		attend(dst.Data, qkv.Data[q:], qkv.Data[k:], qkv.Data[v:], m.keys, m.values, m.scores, weights, m.out, m.inverses,
			starts, qkv.Stride, dst.Stride)
	}
}

// quickBF16 tells whether a vendor's processors multiply more bfloat16 by VDPBF16PS
// than float32 by FMA. AMD's do, twice as many (measured on Zen 4). On Intel's
// Sapphire Rapids it is half as many, and a quarter of the int16 that VPDPWSSD
// multiplies. The vendor decides and not a measurement, so that a machine's vectors
// are the same at each start; of vendors not measured nothing is expected.
func quickBF16(vendor string) bool { return vendor == "AuthenticAMD" }

// vendor is the processor's, in twelve letters.
func vendor() string {
	first, second, third := vendorAVX512BF16()
	name := binary.LittleEndian.AppendUint32(nil, first)
	name = binary.LittleEndian.AppendUint32(name, second)
	return string(binary.LittleEndian.AppendUint32(name, third))
}
