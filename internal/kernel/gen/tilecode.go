package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
)

// AMX's instructions, none of which the assembler or avo has.

var tileInstructions = map[string]vex{
	"LDTILECFG":   {0, 0x49}, // VEX.128.NP.0F38.W0 49 !(11):000:bbb
	"TILERELEASE": {0, 0x49}, // VEX.128.NP.0F38.W0 49 C0
	"TILEZERO":    {3, 0x49}, // VEX.128.F2.0F38.W0 49 11:rrr:000
	"TILELOADD":   {3, 0x4b}, // VEX.128.F2.0F38.W0 4B !(11):rrr:100
	"TILELOADDT1": {1, 0x4b}, // VEX.128.66.0F38.W0 4B !(11):rrr:100
	"TILESTORED":  {2, 0x4b}, // VEX.128.F3.0F38.W0 4B !(11):rrr:100
	"TDPBF16PS":   {2, 0x5c}, // VEX.128.F3.0F38.W0 5C 11:rrr:bbb
	"TDPBUSD":     {1, 0x5e}, // VEX.128.66.0F38.W0 5E 11:rrr:bbb
}

// tmm names a tile. avo, which has none, passes the name on as it would a label's.
func tmm(n int) operand.Op { return operand.LabelRef(fmt.Sprintf("T%d", n)) }

// emitTile adds an instruction by name, its operands in Go's order.
func (g *generator) emitTile(name string, ops ...operand.Op) {
	inputs := slices.DeleteFunc(slices.Clone(ops), func(o operand.Op) bool { return len(operand.Registers(o)) == 0 })
	g.Instruction(&ir.Instruction{Opcode: name, Operands: ops, Inputs: inputs, ISA: []string{"AMX"}})
}

var (
	tileLine   = regexp.MustCompile(`^\t([A-Z0-9]+)(?:\s+([^/]+?))?( // .*)?$`)
	tileNumber = regexp.MustCompile(`\bT(\d)\b`)
	address    = regexp.MustCompile(`(-?\d*)\(([A-Z0-9]+)\)(?:\(([A-Z0-9]+)\*1\))?`)
)

// encodeTile is the line's instruction in bytes; nil where it is none of AMX's.
func encodeTile(line string) (code []byte, text, comment string) {
	m := tileLine.FindStringSubmatch(line)
	if m == nil {
		return nil, "", ""
	}
	e, ok := tileInstructions[m[1]]
	if !ok {
		return nil, "", ""
	}
	var numbers []int
	for _, t := range tileNumber.FindAllStringSubmatch(m[2], -1) {
		n, _ := strconv.Atoi(t[1]) // a digit
		numbers = append(numbers, n)
	}
	if a := address.FindStringSubmatch(m[2]); a != nil {
		code = e.memory(append(numbers, 0)[0], a[1], a[2], a[3])
	} else {
		code = e.registers(numbers)
	}
	return code, m[1] + " " + m[2], m[3]
}

// registers encodes the instruction for up to three tiles in Go's order, the
// destination last: second source, first source, destination.
func (e vex) registers(numbers []int) []byte {
	padded := append(slices.Repeat([]int{0}, 3-len(numbers)), numbers...)
	return e.bytes(short, padded[2], padded[0], padded[1])
}

// memory encodes the instruction for a tile and an address, with a displacement of
// four bytes.
func (e vex) memory(tile int, displacement, base, index string) []byte {
	b, x, d := generalRegister(base), 4, 0 // index 4: none
	if index != "" {
		x = generalRegister(index)
	}
	if displacement != "" {
		d, _ = strconv.Atoi(displacement) // digits
	}
	return []byte{
		0xc4, 1<<7 | byte(^x>>3&1)<<6 | byte(^b>>3&1)<<5 | 2, // R X B mmmmm = 0F38
		15<<3 | e.prefix, e.opcode,
		2<<6 | byte(tile)<<3 | 4, byte(x&7)<<3 | byte(b&7), // a SIB byte and four of displacement follow
		byte(d), byte(d >> 8), byte(d >> 16), byte(d >> 24),
	}
}

// generalRegister is the number of a 64-bit register by the assembler's name.
func generalRegister(name string) int {
	if n := slices.Index([]string{"AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI"}, name); n >= 0 {
		return n
	}
	n, err := strconv.Atoi(name[1:])
	if err != nil {
		panic(fmt.Sprintf("register %q", name))
	}
	return n
}
