//go:build arm64 && !purego

package kernel

import "golang.org/x/sys/cpu"

// machineRungs lists the levels above Generic that this machine has, lowest first. A
// level has products of its own; the rest is Generic's.
func machineRungs() []rung {
	rungs := []rung{{NEON, newNEON}} // every arm64 has it
	if cpu.ARM64.HasASIMDDP {
		rungs = append(rungs, rung{NEONDot, newNEONDot})
	}
	if cpu.ARM64.HasASIMDDP && cpu.ARM64.HasI8MM {
		rungs = append(rungs, rung{NEONI8MM, newNEONI8MM})
	}
	return rungs
}

func newNEON() *Set {
	s := generic()
	s.level = NEON
	tiles := tileSet{cols: 16, tiles: []tile{{6, mul6x16NEON}, {4, mul4x16NEON}, {2, mul2x16NEON}, {1, mul1x16NEON}}}
	s.linear = map[DType]*arithmetic{Float32: {tiles: tiles}}
	s.attend = map[DType]*attendSet{Float32: {tileSet: tiles}}
	return s
}

// newNEONDot adds products of int8 to newNEON. They take inputs as signed bytes, 128
// less than they are, which changes what an input's zero is.
func newNEONDot() *Set {
	s := newNEON()
	s.level = NEONDot
	plain, gelu := newInt8(tileSet{cols: 16, tiles: []tile{
		{6, mul6x16NEONDOT}, {4, mul4x16NEONDOT}, {2, mul2x16NEONDOT}, {1, mul1x16NEONDOT},
	}}, quantizeBytesGeneric, largestGeneric)
	plain.zero -= 128
	gelu.zero -= 128
	s.linear[Int8], s.linear[Int8GELU] = plain, gelu
	return s
}

// newNEONI8MM multiplies the inputs' bytes as the unsigned ones that they are.
func newNEONI8MM() *Set {
	s := newNEON()
	s.level = NEONI8MM
	s.linear[Int8], s.linear[Int8GELU] = newInt8(tileSet{cols: 16, tiles: []tile{
		{6, mul6x16NEONI8MM}, {4, mul4x16NEONI8MM}, {2, mul2x16NEONI8MM}, {1, mul1x16NEONI8MM},
	}}, quantizeBytesGeneric, largestGeneric)
	return s
}
