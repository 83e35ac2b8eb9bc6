package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// How attention over whole sequences takes its operands: float32 as they are, bfloat16
// rounded, and int16 scaled (attendscale.go) and then rounded.

// rounds tells whether operands of products inside attention are rounded to pairs.
func (i *isa) rounds() bool { return i.element != "float32" }

// stepsOf returns the columns of a square's 16 steps: 16, or 32 that are rounded.
func (g *generator) stepsOf(a *rowAttend, what string, from reg.GPVirtual, square int) reg.VecVirtual {
	if !g.isa.rounds() {
		x := g.ZMM()
		g.Comment(what + ", 16 columns")
		g.VMOVUPS(element(from, square*tileBytes), x)
		return x
	}
	low, high := g.ZMM(), g.ZMM()
	g.Comment(what + ", 16 columns")
	g.VMOVUPS(element(from, 2*square*tileBytes), low)
	g.scale16(a, low, 2*square)
	g.Comment("and 16 more")
	g.VMOVUPS(element(from, (2*square+1)*tileBytes), high)
	g.scale16(a, high, 2*square+1)
	return g.rounded(low, high)
}

// rounded returns two registers' elements as words of one; placed says where. It overwrites
// both.
func (g *generator) rounded(low, high reg.VecVirtual) reg.VecVirtual {
	if !g.isa.integers() {
		g.Comment("as bfloat16")
		g.emitMissing("VCVTNE2PS2BF16", "AVX512BF16", false, low, high, high)
		return high
	}
	for _, x := range []reg.VecVirtual{low, high} {
		g.Comment("to the nearest integers")
		g.VCVTPS2DQ(x, x)
	}
	g.Comment("as int16")
	g.VPACKSSDW(high, low, high)
	return high
}

// placed is which words rounded makes of element n of low and of high.
func (i *isa) placed(n int) (low, high int) {
	if i.integers() { // packing goes by quarters of registers
		low = n/4*8 + n%4
		return low, low + 4
	}
	return n, 16 + n
}

// layValues makes pairs of each two rows of values; the second is 0 past the last.
func (g *generator) layValues(a *rowAttend) {
	rest, step, order := g.GP64(), g.GP64(), g.ZMM()
	g.at(&a.attend, "v", "values", a.from)
	g.Comment("their pairs")
	g.Load(g.Param("values").Base(), a.dst)
	g.Comment("from row to row")
	g.MOVQ(a.lda, step)
	g.Comment("rows left")
	g.MOVQ(a.tokens, rest)
	g.Comment("words of a row and of the next in turns")
	g.VMOVDQU64(g.wordIndex("turns", g.isa.placed), order)
	g.useFactors(a, valueFactors)
	g.Label("values")
	there := g.twoRows(rest)
	for i := range 2 * a.parts {
		first, second := g.ZMM(), g.ZMM()
		g.Comment("a row")
		g.VMOVUPS(element(a.from, i*tileBytes), first)
		g.scale16(a, first, i)
		g.Comment("the next, if it is there")
		g.VMOVUPS_Z(operand.Mem{Base: a.from, Index: step, Scale: 1, Disp: i * tileBytes}, there, second)
		g.scale16(a, second, i)
		pairs := g.rounded(first, second)
		g.Comment("in turns")
		g.VPERMW(pairs, order, pairs)
		g.Comment("write")
		g.VMOVUPS(pairs, element(a.dst, i*tileBytes))
	}
	g.Comment("next two rows")
	g.LEAQ(operand.Mem{Base: a.from, Index: step, Scale: 2}, a.from)
	g.Comment("next pairs")
	g.ADDQ(operand.U32(uint64(2*a.parts*tileBytes)), a.dst)
	g.Comment("rows left?")
	g.TESTQ(rest, rest)
	g.Comment("go on")
	g.JG(operand.LabelRef("values"))
}

// wordIndex says which words go into each of 16 lanes, two each.
func (g *generator) wordIndex(name string, of func(lane int) (first, second int)) operand.Mem {
	if m, ok := g.constants[name]; ok {
		return m
	}
	m := g.StaticGlobal(name + g.isa.name)
	g.DataAttributes(rodata)
	for lane := range 16 {
		first, second := of(lane)
		g.AddDatum(4*lane, operand.U32(uint32(first)|uint32(second)<<16))
	}
	g.constants[name] = m
	return m
}
