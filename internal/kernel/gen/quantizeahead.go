package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// quantizeRows emits the encoding of rows as quadruples of bytes, in blocks where products
// are by tiles, each row with its scale behind them.
func (g *generator) quantizeRows() {
	if g.isa.tiles {
		g.function(quantizeRowsInBlocksOf)
	} else {
		g.function(quantizeRowsOf)
	}
	q := &byteRows{shift: g.spread("shift"), zero: g.spread("zero"), none: g.zeros(1)[0]}
	q.words, q.order, q.magnitude = g.ZMM(), g.ZMM(), g.ZMM()
	g.Comment("all bits but the sign")
	g.VMOVUPS(g.magnitude(), q.magnitude)
	g.Comment("zero in words")
	g.VPACKSSDW(q.zero, q.zero, q.words)
	g.Comment("the order of what is packed")
	g.VMOVDQU64(g.packedOrder(), q.order)
	levels, inverse, scale := g.spread("levels"), g.ZMM(), g.XMM()
	to, ldd, beside := g.pointer("dst", "the row's first quadruples"), g.stride("ldd", "from row to row of dst, or from block to block"), g.GP64()
	q.from, q.to, q.left = g.GP64(), g.GP64(), g.GP64()
	g.Comment("what lies side by side: quadruples of 64 values")
	g.MOVQ(operand.U32(tileBytes), beside)
	q.ldd = beside
	if g.isa.tiles {
		q.ldd, ldd = ldd, beside
	}
	nextInverse, nextScale := g.ZMM(), g.XMM()
	g.rowsAhead(func(b *blockOfRows) {
		q.blockOfRows = b
		q.scaleOnly(levels, nextScale, nextInverse)
	}, func(row reg.GPVirtual) {
		q.inverse = inverse
		q.encodeRow(row, to, scale)
		g.Comment("next row of dst")
		g.ADDQ(ldd, to)
	}, func() {
		g.Comment("the row's levels in a value")
		g.VMOVAPS(nextInverse, inverse)
		g.Comment("and the value of a level")
		g.VMOVAPS(nextScale, scale)
	})
}

// scaleOnly sets the row's scale, in lane 0, and its inverse, in every lane. Divisions of one
// lane are several times as quick as those of all.
func (q *byteRows) scaleOnly(levels, scale, inverse reg.VecVirtual) {
	reach, there := q.reachOfRow().AsX(), q.K()
	q.Comment("+ shift")
	q.VADDSS(q.shift.AsX(), reach, reach)
	q.Comment("is there anything to speak of?")
	q.VCMPSS(operand.Imm(atLeast), q.constant("tiny", 1e-30), reach, there)
	q.Comment("the value of a level, or 0")
	q.VDIVSS_Z(levels.AsX(), reach, there, scale)
	q.Comment("levels in a value, or 0")
	q.VDIVSS_Z(reach, levels.AsX(), there, reach)
	q.Comment("in every lane")
	q.VBROADCASTSS(reach, inverse)
}

// packedOrder is where the quadruples of four registers lie that were packed two and two
// in each quarter.
func (g *generator) packedOrder() operand.Mem {
	m := g.StaticGlobal("packed" + g.isa.name)
	g.DataAttributes(rodata)
	for i := range 16 {
		g.AddDatum(4*i, operand.U32(4*(i%4)+i/4))
	}
	return m
}

// pack writes 64 integers as unsigned bytes: 0 or 255 beyond.
func (q *byteRows) pack(x []reg.VecVirtual) {
	for i := 0; i < 4; i += 2 {
		q.Comment("as int16, with the next 16")
		q.VPACKSSDW(x[i+1], x[i], x[i])
		q.Comment("+ zero")
		q.VPADDSW(q.words, x[i], x[i])
	}
	q.Comment("as bytes, all 64")
	q.VPACKUSWB(x[2], x[0], x[0])
	q.Comment("in order")
	q.VPERMD(x[0], q.order, x[0])
	q.Comment("write")
	q.VMOVUPS(x[0], element(q.to, 0))
}

// encodeRow encodes a row whose scale is known.
func (q *byteRows) encodeRow(row, to reg.GPVirtual, scale reg.VecVirtual) {
	q.Comment("the row's values")
	q.MOVQ(row, q.from)
	q.Comment("their places")
	q.MOVQ(to, q.to)
	q.Comment("how many")
	q.Load(q.Param("cols"), q.left)
	q.blocks()
	if q.isa.tiles {
		q.Comment("behind them the scale")
		q.VMOVSS(scale.AsX(), element(q.to, 0))
		return
	}
	q.Comment("how many")
	q.Load(q.Param("cols"), q.left)
	q.Comment("as quadruples,")
	q.ADDQ(operand.Imm(3), q.left)
	q.Comment("the last one perhaps of fewer")
	q.SHRQ(operand.Imm(2), q.left)
	q.Comment("behind them the scale")
	q.VMOVSS(scale.AsX(), operand.Mem{Base: to, Index: q.left, Scale: 4})
}
