package main

import (
	"fmt"
	"strings"
)

// word is an instruction that Go's assembler lacks (Arm ARM, C7.2): of 32 bits, with
// the first source at bit 5, the second, where there is one, at bit 16, and the
// destination at bit 0.
type word struct {
	code  uint32
	unary bool
}

var words = map[string]word{
	"FADD":      {code: 0x4e20d400},              // FADD Vd.4S, Vn.4S, Vm.4S
	"FSUB":      {code: 0x4ea0d400},              // FSUB Vd.4S, Vn.4S, Vm.4S: Vn - Vm
	"FMUL":      {code: 0x6e20dc00},              // FMUL Vd.4S, Vn.4S, Vm.4S
	"FDIV":      {code: 0x6e20fc00},              // FDIV Vd.4S, Vn.4S, Vm.4S: Vn / Vm
	"FMAX":      {code: 0x4e20f400},              // FMAX Vd.4S, Vn.4S, Vm.4S
	"FMIN":      {code: 0x4ea0f400},              // FMIN Vd.4S, Vn.4S, Vm.4S
	"FADDP":     {code: 0x6e20d400},              // FADDP Vd.4S, Vn.4S, Vm.4S: sums of neighbours, those of Vn first
	"FMAXV":     {code: 0x6e30f800, unary: true}, // FMAXV Sd, Vn.4S: the largest lane
	"FABS":      {code: 0x4ea0f800, unary: true}, // FABS Vd.4S, Vn.4S
	"FRINTN":    {code: 0x4e218800, unary: true}, // FRINTN Vd.4S, Vn.4S: to the nearest whole number, ties to even
	"FCVTNS":    {code: 0x4e21a800, unary: true}, // FCVTNS Vd.4S, Vn.4S: the same, as int32
	"SCVTF":     {code: 0x4e21d800, unary: true}, // SCVTF Vd.4S, Vn.4S: int32 as float32
	"SQXTN.H4":  {code: 0x0e614800, unary: true}, // SQXTN Vd.4H, Vn.4S: int32 as int16, the nearest there is
	"SQXTN.B8":  {code: 0x0e214800, unary: true}, // SQXTN Vd.8B, Vn.8H: int16 as int8, likewise
	"SQXTUN.H4": {code: 0x2e612800, unary: true}, // SQXTUN Vd.4H, Vn.4S: int32 as uint16, likewise
	"UQXTN.B8":  {code: 0x2e214800, unary: true}, // UQXTN Vd.8B, Vn.8H: uint16 as uint8, likewise
	"SDOT":      {code: 0x4e809400},              // DotProd: SDOT Vd.4S, Vn.16B, Vm.16B
	"USMMLA":    {code: 0x4e80ac00},              // I8MM: USMMLA Vd.4S, Vn.16B, Vm.16B: 2x8 unsigned by 8x2 signed
	"BFMMLA":    {code: 0x6e40ec00},              // BF16: BFMMLA Vd.4S, Vn.8H, Vm.8H: 2x4 by 4x2, rounded to odd
	"BFCVTN":    {code: 0x0ea16800, unary: true}, // BF16: BFCVTN Vd.4H, Vn.4S: to the nearest bfloat16, ties to even
}

// arrangements are how registers are divided in instructions that Go's assembler has.
var arrangements = map[string]string{"VFMLA": "S4", "VFMLS": "S4", "VADD": "S4", "VEOR": "B16", "VMOV": "B16", "VZIP1": "D2", "VZIP2": "D2"}

// do adds an instruction on registers by its name, with them in Go's order: the second
// source, the first, the destination.
func (a *arm) do(name, comment string, operands ...vector) {
	var list []string
	if arrangement, ok := arrangements[name]; ok {
		for _, v := range operands {
			list = append(list, fmt.Sprintf("%s.%s", v, arrangement))
		}
		a.line(name+" "+strings.Join(list, ", "), comment)
		return
	}
	w, ok := words[name]
	places := []int{16, 5, 0}
	if w.unary {
		places = places[1:]
	}
	if !ok || len(operands) != len(places) {
		panic(fmt.Sprintf("%s of %d registers", name, len(operands)))
	}
	for i, v := range operands {
		list = append(list, v.String())
		w.code |= uint32(v) << places[i]
	}
	a.line(fmt.Sprintf("WORD $0x%08x", w.code), fmt.Sprintf("%s %s: %s", name, strings.Join(list, ", "), comment))
}
