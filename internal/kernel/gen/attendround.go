package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// How a tile's weights become int16. A row's are multiplied by as much as leaves its sums of
// products below 2^31, and none above 2^15: so they have 15 bits where a few keys have nearly
// all of the weight, and the many others are not rounded away.

// roundWeights makes int16 of the weights in the scores' place, and total the sums of those.
func (g *generator) roundWeights(a *attend, total reg.VecVirtual, numbers reg.GPVirtual, height int) {
	scale := g.ZMM()
	g.Comment("what a row's int16 may add up to")
	g.VMOVUPS(g.constant("weightsum", 1<<sumBits), scale)
	g.Comment("by what its weights do")
	g.VDIVPS(total, scale, scale)
	g.Comment("but none may be larger")
	g.VMINPS(g.constant("largestweight", 1<<15-1), scale, scale)
	g.Comment("of each row")
	g.VMOVUPS(scale, element(numbers, rowsBehind(height)))
	g.Comment("what they add up to then")
	g.VMULPS(scale, total, total)
	g.roundWeightRows(a, numbers, height)
}

// roundWeightRows rounds the weights of the queries that are there.
func (g *generator) roundWeightRows(a *attend, numbers reg.GPVirtual, height int) {
	rows, from, to, scales := g.GP64(), g.GP64(), g.pointer("weights", "int16"), g.GP64()
	scale, order := g.ZMM(), g.ZMM()
	g.Comment("queries of the tile")
	g.MOVQ(a.rows, rows)
	g.Comment("weights")
	g.Load(g.Param("scores").Base(), from)
	g.Comment("what rows are multiplied by")
	g.LEAQ(element(numbers, rowsBehind(height)), scales)
	g.Comment("four words of low and of high in turns")
	g.VMOVDQU64(g.fourWords(), order)
	g.Label("round")
	g.Comment("the row's")
	g.VBROADCASTSS(element(scales, 0), scale)
	g.roundWeightRow(a, from, to, scale, order)
	g.Comment("next row of weights")
	g.ADDQ(a.scoreRow, from)
	g.Comment("of int16")
	g.ADDQ(a.weightRow, to)
	g.Comment("and what it is multiplied by")
	g.ADDQ(operand.Imm(4), scales)
	g.Comment("one row done")
	g.DECQ(rows)
	g.Comment("more?")
	g.JNZ(operand.LabelRef("round"))
}

// roundWeightRow rounds a row's weights, 32 at a time; behind the last 16 it writes 0.
func (g *generator) roundWeightRow(a *attend, from, to reg.GPVirtual, scale, order reg.VecVirtual) {
	g.Comment("weights")
	g.MOVQ(from, a.from)
	g.Comment("int16")
	g.MOVQ(to, a.dst)
	g.Comment("keys")
	g.MOVQ(a.tokens, a.count)
	g.Comment("more than 16?")
	g.SUBQ(operand.Imm(17), a.count)
	g.Comment("no")
	g.JL(operand.LabelRef("roundfew"))
	g.Label("roundmore")
	x := g.rounded(g.scaled(a, 0, scale), g.scaled(a, 1, scale))
	g.Comment("in the keys' order")
	g.VPERMQ(x, order, x)
	g.Comment("write")
	g.VMOVUPS(x, element(a.dst, 0))
	g.Comment("next 32 weights")
	g.ADDQ(operand.U32(2*tileBytes), a.from)
	g.Comment("and int16")
	g.ADDQ(operand.Imm(tileBytes), a.dst)
	g.Comment("so many are done")
	g.SUBQ(operand.Imm(32), a.count)
	g.Comment("more than 16 left?")
	g.JGE(operand.LabelRef("roundmore"))
	g.Label("roundfew")
	g.Comment("none left?")
	g.CMPQ(a.count, operand.I8(-17))
	g.Comment("then that was the row")
	g.JLE(operand.LabelRef("rounded"))
	last := g.scaled(a, 0, scale)
	g.Comment("to the nearest integers")
	g.VCVTPS2DQ(last, last)
	g.Comment("as int16, and 0 for 16 more")
	g.VPMOVDW(last, last.AsY())
	g.Comment("write")
	g.VMOVUPS(last, element(a.dst, 0))
	g.Label("rounded")
}

// scaled returns 16 of a row's weights, multiplied.
func (g *generator) scaled(a *attend, vector int, scale reg.VecVirtual) reg.VecVirtual {
	x := g.ZMM()
	g.Comment("by the row's")
	g.VMULPS(element(a.from, vector*tileBytes), scale, x)
	return x
}

// fourWords is an index of what rounded leaves of four elements each: all of low's first.
func (g *generator) fourWords() operand.Mem {
	if m, ok := g.constants["four"]; ok {
		return m
	}
	m := g.StaticGlobal("four" + g.isa.name)
	g.DataAttributes(rodata)
	var of [8]int
	for i := range 4 {
		low, high := g.isa.placed(4 * i)
		of[i], of[4+i] = low/4, high/4
	}
	for i, from := range of {
		g.AddDatum(8*i, operand.U64(uint64(from)))
	}
	g.constants["four"] = m
	return m
}
