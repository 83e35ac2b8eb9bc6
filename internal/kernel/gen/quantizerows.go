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
	from, to, ldd, left        reg.GPVirtual  // the next values of the row, and their place; values left
	words, order               reg.VecVirtual // zero in words; the order of what is packed two and two
	magnitude                  reg.VecVirtual // all bits but the sign
}

// magnitude is all bits of a float32 but the sign.
func (g *generator) magnitude() operand.Mem {
	return g.constant("magnitude", math.Float32frombits(0x7fffffff))
}

const atLeast = 13 // VCMPPS: greater or equal

// reachOfRow returns the row's largest magnitude in lane 0.
func (q *byteRows) reachOfRow() reg.VecVirtual {
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
		q.round(x)
	}
	q.pack(integers)
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
