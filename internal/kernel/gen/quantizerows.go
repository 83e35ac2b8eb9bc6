package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// byteRows is quantizeRows under construction.
type byteRows struct {
	*blockOfRows
	shift, inverse, zero, none reg.VecVirtual
	from, to, ldd, left        reg.GPVirtual // the next values of the row, and their place; values left
	// words is zero in words, and order puts what registers packed two and two hold in
	// order; nil: each register's bytes are written by themselves.
	words, order reg.VecVirtual
	magnitude    operand.Op // all bits but the sign
}

// quantizeRows emits the encoding of rows as quadruples of bytes in blocks, each row with
// a scale of its own.
func (g *generator) quantizeRows() {
	g.function(quantizeRowsOf)
	q := &byteRows{shift: g.spread("shift"), zero: g.spread("zero"), inverse: g.ZMM(), none: g.zeros(1)[0]}
	q.magnitude = g.magnitude()
	levels := g.spread("levels")
	row := g.pointer("dst", "the row's first block")
	q.ldd = g.stride("ldd", "from block to block")
	q.from, q.to, q.left = g.GP64(), g.GP64(), g.GP64()
	g.eachRow(func(b *blockOfRows) {
		q.blockOfRows = b
		scale := q.scaleRow(levels)
		g.Comment("the row's values")
		g.MOVQ(b.row, q.from)
		g.Comment("their places")
		g.MOVQ(row, q.to)
		g.Comment("how many")
		g.Load(g.Param("cols"), q.left)
		q.blocks()
		g.Comment("behind them the scale")
		g.VMOVSS(scale.AsX(), element(q.to, 0))
		g.Comment("next row")
		g.ADDQ(operand.Imm(tileBytes), row)
	})
}

// magnitude is all bits of a float32 but the sign.
func (g *generator) magnitude() operand.Mem {
	return g.constant("magnitude", math.Float32frombits(0x7fffffff))
}

const atLeast = 13 // VCMPPS: greater or equal

// reachOfRow returns the row's largest magnitude in lane 0. It looks at so many registers of
// values a turn.
func (q *byteRows) reachOfRow(turns int) reg.VecVirtual {
	found := q.zeros(turns)
	s := q.sweep("find")
	s.run(turns, func(turn, at int) {
		x := s.load("x", element(s.cursors[0], at), nil)
		q.Comment("|x|")
		q.VANDPS(q.magnitude, x, x)
		q.Comment("the larger")
		q.VMAXPS(x, found[turn], found[turn])
	})
	q.combine(found, q.VMAXPS)
	return found[0]
}

// scaleRow returns the row's scale and sets its inverse in every lane.
func (q *byteRows) scaleRow(levels reg.VecVirtual) reg.VecVirtual {
	found := q.reachOfRow(1)
	reach, scale, there := q.ZMM(), q.ZMM(), q.K()
	q.Comment("in every lane")
	q.VBROADCASTSS(found.AsX(), reach)
	q.Comment("+ shift")
	q.VADDPS(q.shift, reach, reach)
	q.Comment("is there anything to speak of?")
	q.VCMPPS(operand.Imm(atLeast), q.constant("tiny", 1e-30), reach, there)
	q.Comment("the value of a level, or 0")
	q.VDIVPS_Z(levels, reach, there, scale)
	q.Comment("levels in a value, or 0")
	q.VDIVPS_Z(reach, levels, there, q.inverse)
	return scale
}

// blocks encodes the row, 64 values at a time.
func (q *byteRows) blocks() {
	q.Label("whole")
	q.Comment("fewer than 64 left?")
	q.CMPQ(q.left, operand.Imm(64))
	q.Comment("then those")
	q.JL(operand.LabelRef("rest"))
	q.whole()
	q.Comment("next block")
	q.ADDQ(q.ldd, q.to)
	q.Comment("next values")
	q.ADDQ(operand.U32(4*tileBytes), q.from)
	q.Comment("so many fewer are left")
	q.SUBQ(operand.Imm(64), q.left)
	q.Comment("again")
	q.JMP(operand.LabelRef("whole"))
	q.Label("rest")
	q.Comment("nothing left?")
	q.TESTQ(q.left, q.left)
	q.Comment("done")
	q.JZ(operand.LabelRef("encoded"))
	q.rest()
	q.Comment("behind the last block")
	q.ADDQ(q.ldd, q.to)
	q.Label("encoded")
}

// whole encodes 64 values.
func (q *byteRows) whole() {
	integers := q.registers(4)
	for i, x := range integers {
		q.Comment("16 values")
		q.VMOVUPS(element(q.from, i*tileBytes), x)
		if q.order == nil {
			q.encode(x, i)
		} else {
			q.round(x)
		}
	}
	if q.order != nil {
		q.pack(integers)
	}
}

// rest encodes the fewer than 64 values that are left, and 0 for those that are not there.
func (q *byteRows) rest() {
	ones := q.GP64()
	q.Comment("1")
	q.MOVQ(operand.U32(1), ones)
	q.Comment("2^n")
	q.SHLXQ(q.left, ones, ones)
	q.Comment("a 1 for each value left")
	q.DECQ(ones)
	for i := range 4 {
		x, there := q.ZMM(), q.K()
		q.Comment("16 of them")
		q.KMOVW(ones.As32(), there)
		q.Comment("the values, 0 where there is none")
		q.VMOVUPS_Z(element(q.from, i*tileBytes), there, x)
		q.encode(x, i)
		if i < 3 {
			q.Comment("the next 16")
			q.SHRQ(operand.Imm(16), ones)
		}
	}
}

// encode writes 16 values as a quarter of the block's row.
func (q *byteRows) encode(x reg.VecVirtual, quarter int) {
	q.round(x)
	q.Comment("+ zero")
	q.VPADDD(q.zero, x, x)
	q.storeBytes(x, q.none, element(q.to, 16*quarter))
}

// round makes integers of values.
func (q *byteRows) round(x reg.VecVirtual) {
	q.Comment("x + shift")
	q.VADDPS(q.shift, x, x)
	q.Comment("·inverse")
	q.VMULPS(q.inverse, x, x)
	q.Comment("to the nearest integer")
	q.VCVTPS2DQ(x, x)
}
