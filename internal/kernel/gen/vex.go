package main

import "fmt"

// vex is an instruction's encoding on tiles and on registers of up to 256 bits (Intel
// SDM volume 2, 2.3.5): map 0F38, W0.
type vex struct {
	prefix byte // pp: 0 none, 1 66, 2 F3, 3 F2
	opcode byte
}

// VEX.L.
const (
	short = 0 // 128 bits, and tiles
	long  = 1 // 256 bits
)

// bytes encodes the instruction for three registers: reg and rm of the ModRM byte, and
// vvvv of the prefix.
func (e vex) bytes(length byte, reg, vvvv, rm int) []byte {
	if max(reg, vvvv, rm) > 15 {
		panic(fmt.Sprintf("no VEX encoding has register %d; 15 is the last", max(reg, vvvv, rm)))
	}
	return []byte{
		0xc4, inverted(reg, 3)<<7 | 1<<6 | inverted(rm, 3)<<5 | 2, // R X B mmmmm = 0F38
		byte(^vvvv&15)<<3 | length<<2 | e.prefix, // W=0 vvvv L pp
		e.opcode,
		0xc0 | byte(reg&7)<<3 | byte(rm&7), // registers only
	}
}

// inverted is a bit of n, 1 where it is 0.
func inverted(n, bit int) byte { return byte(^n>>bit) & 1 }
