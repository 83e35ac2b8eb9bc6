package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
)

// Go's assembler and avo lack some instructions. The generator emits them by name,
// so that avo allocates their registers, and encode then writes the name's line as
// bytes with the instruction beside them.

// evex is the encoding of an instruction on three 512-bit registers, or on two of
// which the second source is unused (Intel SDM volume 2, 2.7): map 0F38, W0. On three
// 256-bit registers the instruction is VEX's of the same prefix and opcode.
type evex struct {
	vex
	unary bool // one source only
}

var missing = map[string]evex{
	"VPDPBUSD":       {vex: vex{1, 0x50}},              // AVX512_VNNI: EVEX.512.66.0F38.W0 50 /r; AVX-VNNI: VEX.256
	"VPDPWSSD":       {vex: vex{1, 0x52}},              // AVX512_VNNI: EVEX.512.66.0F38.W0 52 /r; AVX-VNNI: VEX.256
	"VDPBF16PS":      {vex: vex{2, 0x52}},              // AVX512_BF16: EVEX.512.F3.0F38.W0 52 /r
	"VCVTNEPS2BF16":  {vex: vex{2, 0x72}, unary: true}, // AVX512_BF16: EVEX.512.F3.0F38.W0 72 /r
	"VCVTNE2PS2BF16": {vex: vex{3, 0x72}},              // AVX512_BF16: EVEX.512.F2.0F38.W0 72 /r
}

// emitMissing adds an instruction by name; the last operand is the destination,
// which accumulates where reads is set.
func (g *generator) emitMissing(name, isa string, reads bool, ops ...operand.Op) {
	last := len(ops) - 1
	inputs := slices.Clone(ops[:last])
	if reads {
		inputs = append(inputs, ops[last])
	}
	g.Instruction(&ir.Instruction{Opcode: name, Operands: ops, Inputs: inputs, Outputs: ops[last:], ISA: []string{isa}})
}

var instruction = regexp.MustCompile(`^\t([A-Z0-9]+)\s+([XYZ0-9, ]+?)( // .*)?$`)

// encode replaces a line that holds a missing instruction by its bytes.
func encode(line string) string {
	if code, text, comment := encodeTile(strings.TrimSuffix(line, "\n")); code != nil {
		return encodedLine(code, text, comment)
	}
	m := instruction.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
	if m == nil {
		return line
	}
	e, ok := missing[m[1]]
	if !ok {
		return line
	}
	var registers []int
	for _, r := range strings.Split(m[2], ",") {
		n, err := strconv.Atoi(strings.TrimLeft(r, " XYZ"))
		if err != nil {
			panic(fmt.Sprintf("operand %q in %q", r, line))
		}
		registers = append(registers, n)
	}
	code := e.bytes(registers)
	if !strings.Contains(m[2], "Z") { // in Go's order the destination is last
		code = e.vex.bytes(long, registers[2], registers[1], registers[0])
	}
	return encodedLine(code, m[1]+" "+m[2], m[3])
}

// encodedLine is an instruction's bytes with its text and its comment beside them.
func encodedLine(code []byte, text, comment string) string {
	var bytes []string
	for _, b := range code {
		bytes = append(bytes, fmt.Sprintf("BYTE $0x%02x", b))
	}
	return fmt.Sprintf("\t%s // %s:%s\n", strings.Join(bytes, "; "), strings.TrimSpace(text), strings.TrimPrefix(comment, " //"))
}

// bytes encodes the instruction for registers in Go's order, the destination last.
func (e evex) bytes(registers []int) []byte {
	rm, dst := registers[0], registers[len(registers)-1]
	vvvv := 0
	if !e.unary {
		vvvv = registers[1]
	}
	return []byte{
		0x62,
		inverted(dst, 3)<<7 | inverted(rm, 4)<<6 | inverted(rm, 3)<<5 | inverted(dst, 4)<<4 | 2, // R X B R' 0 mmm = 0F38
		byte(^vvvv&15)<<3 | 1<<2 | e.prefix,                                                     // W=0 vvvv 1 pp
		2<<5 | inverted(vvvv, 4)<<3,                                                             // z=0 L'L=512 b=0 V' aaa=0
		e.opcode,
		0xc0 | byte(dst&7)<<3 | byte(rm&7), // registers only
	}
}
