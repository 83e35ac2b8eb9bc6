package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is what differs between the levels.
type isa struct {
	name   string
	lanes  int     // float32 a register
	linear []shape // tiles of products with packed weights, tallest first
	attend []shape // tiles of products inside attention

	vectors bool   // whether the level has vector kernels of its own
	element string // what one 4-byte element of a product's operands holds
	apart   bool   // integers are multiplied and added by two instructions
	tiles   bool   // products are those of AMX, and nothing else is emitted
	borrows bool   // operands are encoded by another level's functions
}

// wide tells whether registers are of 512 bits.
func (i *isa) wide() bool { return i.lanes == 16 }

// shape is a tile of a product: rows x vectors registers of sums. broadcast is how
// many of the rows take their multiplier by a broadcast in the instruction itself
// rather than by a register.
type shape struct{ rows, vectors, broadcast int }

var avx2 = &isa{
	name:   "AVX2",
	lanes:  8,
	linear: []shape{{6, 2, 0}, {4, 2, 0}, {2, 2, 0}, {1, 2, 0}},

	vectors: true,
	element: "float32",
}

// avx2int16 adds to avx2 products of pairs of 16-bit integers.
var avx2int16 = &isa{
	name:    "AVX2INT16",
	lanes:   8,
	linear:  []shape{{6, 2, 0}, {4, 2, 0}, {2, 2, 0}, {1, 2, 0}},
	element: "int16",
	apart:   true,
}

// avx2int8 adds to avx2 products of 8-bit integers, eight at a time.
var avx2int8 = &isa{
	name:    "AVX2INT8",
	lanes:   8,
	linear:  []shape{{4, 2, 0}, {2, 2, 0}, {1, 2, 0}},
	element: "int8",
	apart:   true,
}

// avx2vnni and avx2vnniint8 add to avx2 products of both by AVX-VNNI, in one
// instruction each; the operands are those of avx2int16 and avx2int8.
var (
	avx2vnni = &isa{
		name:    "AVX2VNNI",
		lanes:   8,
		linear:  []shape{{6, 2, 0}, {4, 2, 0}, {2, 2, 0}, {1, 2, 0}},
		element: "int16",
		borrows: true,
	}
	avx2vnniint8 = &isa{
		name:    "AVX2VNNIINT8",
		lanes:   8,
		linear:  []shape{{6, 2, 0}, {4, 2, 0}, {2, 2, 0}, {1, 2, 0}},
		element: "int8",
		borrows: true,
	}
)

var avx512 = &isa{
	name:   "AVX512",
	lanes:  16,
	linear: []shape{{6, 4, 2}, {4, 4, 0}, {2, 4, 0}, {1, 4, 0}},
	attend: []shape{{12, 2, 6}, {8, 2, 0}, {4, 2, 0}, {2, 2, 0}, {1, 2, 0}},

	vectors: true,
	element: "float32",
}

// avx512int16 adds to avx512 products of pairs of 16-bit integers.
var avx512int16 = &isa{
	name:    "AVX512INT16",
	lanes:   16,
	linear:  []shape{{6, 4, 0}, {4, 4, 0}, {2, 4, 0}, {1, 4, 0}},
	element: "int16",
	apart:   true,
}

// avx512vnni does the same in one instruction; the operands are those of avx512int16.
var avx512vnni = &isa{
	name:    "AVX512VNNI",
	lanes:   16,
	linear:  []shape{{6, 4, 0}, {4, 4, 0}, {2, 4, 0}, {1, 4, 0}},
	element: "int16",
	borrows: true,
}

// avx512bf16 adds to avx512 products of pairs of bfloat16.
var avx512bf16 = &isa{
	name:    "AVX512BF16",
	lanes:   16,
	linear:  []shape{{6, 4, 0}, {4, 4, 0}, {2, 4, 0}, {1, 4, 0}},
	attend:  []shape{{12, 2, 0}, {8, 2, 0}, {4, 2, 0}, {2, 2, 0}, {1, 2, 0}},
	element: "bfloat16",
}

// avx512int8 adds to avx512vnni products of 8-bit integers, four at a time.
var avx512int8 = &isa{
	name:    "AVX512INT8",
	lanes:   16,
	linear:  []shape{{6, 4, 0}, {4, 4, 0}, {2, 4, 0}, {1, 4, 0}},
	element: "int8",
}

// amxbf16 and amxint8 are products by AMX.
var (
	amxbf16 = &isa{name: "AMXBF16", lanes: 16, element: "bfloat16", tiles: true}
	amxint8 = &isa{name: "AMXINT8", lanes: 16, element: "int8", tiles: true}
)

// vnni is the extension that multiplies integers and adds them to sums of 32 bits.
func (i *isa) vnni() string {
	if i.wide() {
		return "AVX512VNNI"
	}
	return "AVXVNNI"
}

// integers tells whether sums are int32, to be scaled in the end.
func (i *isa) integers() bool { return i.element == "int16" || i.element == "int8" }

// bytes is the size of a register.
func (i *isa) bytes() int { return 4 * i.lanes }

// register returns a new vector register of the level's width.
func (g *generator) register() reg.VecVirtual {
	if g.isa.wide() {
		return g.ZMM()
	}
	return g.YMM()
}

func (g *generator) registers(n int) []reg.VecVirtual {
	list := make([]reg.VecVirtual, n)
	for i := range list {
		list[i] = g.register()
	}
	return list
}

// constant returns read-only memory that holds value for every lane of a register.
func (g *generator) constant(name string, value float32) operand.Mem {
	if m, ok := g.constants[name]; ok {
		return m
	}
	m := g.StaticGlobal(fmt.Sprintf("%s%s", name, g.isa.name))
	g.DataAttributes(rodata)
	var datum operand.Constant = operand.F32(value)
	if value-value != 0 || math.Abs(float64(value)) < 0x1p-126 { // infinity, NaN or bits that are no number
		datum = operand.U32(math.Float32bits(value))
	}
	for lane := range g.isa.lanes {
		g.AddDatum(4*lane, datum)
	}
	g.constants[name] = m
	return m
}

// element is displacement bytes into what base points to.
func element(base reg.Register, displacement int) operand.Mem {
	return operand.Mem{Base: base, Disp: displacement}
}
