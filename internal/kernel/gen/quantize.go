package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// largest emits the search for the largest magnitude.
func (g *generator) largest() {
	g.function(largestOf)
	found := g.zeros(turns)
	s := g.sweep("x")
	s.run(turns, func(turn, at int) {
		x := s.load("x", element(s.cursors[0], at), nil)
		g.Comment("|x|")
		g.VANDPS(g.constant("magnitude", math.Float32frombits(0x7fffffff)), x, x)
		g.Comment("the larger")
		g.VMAXPS(x, found[turn], found[turn])
	})
	g.fold("largest", found, g.VMAXPS)
	g.end()
}

// quantizeBytes emits the conversion of float32 to quadruples of 8-bit integers. It
// writes whole registers, what is past the last element as if it were 0.
func (g *generator) quantizeBytes() {
	g.function(quantizeBytesOf(g.isa.lanes))
	shift, inverse, zero := g.spread("shift"), g.spread("inverse"), g.spread("zero")
	var none reg.VecVirtual // narrow registers need none
	if g.isa.wide() {
		none = g.zeros(1)[0]
	}
	s := g.sweep("x")
	s.quarters = append(s.quarters, g.pointer("dst", "the next quadruples"))
	s.run(1, func(_, at int) {
		x := s.load("x", element(s.cursors[0], at), nil)
		g.Comment("x + shift")
		g.VADDPS(shift, x, x)
		g.Comment("·inverse")
		g.VMULPS(inverse, x, x)
		g.Comment("to the nearest integer")
		g.VCVTPS2DQ(x, x)
		g.Comment("+ zero")
		g.VPADDD(zero, x, x)
		g.storeBytes(x, none, element(s.quarters[0], at/4))
	})
	g.end()
}

// storeBytes writes a register's integers as unsigned bytes: 0 or 255 beyond. none
// holds zeros.
func (g *generator) storeBytes(x, none reg.VecVirtual, m operand.Mem) {
	if g.isa.wide() {
		bytes := g.XMM()
		g.Comment("not below 0")
		g.VPMAXSD(none, x, x)
		g.Comment("as bytes")
		g.VPMOVUSDB(x, bytes)
		g.Comment("write")
		g.VMOVUPS(bytes, m)
		return
	}
	words := g.narrowInt16(x)
	g.Comment("as bytes")
	g.VPACKUSWB(words, words, words)
	g.Comment("write")
	g.VMOVQ(words.AsX(), m)
}

// narrowInt16 returns a register's integers as int16.
func (g *generator) narrowInt16(x reg.VecVirtual) reg.VecVirtual {
	if g.isa.wide() {
		pairs := g.YMM()
		g.Comment("as int16")
		g.VPMOVSDW(x, pairs)
		return pairs
	}
	upper := g.XMM()
	g.Comment("upper four integers")
	g.VEXTRACTI128(operand.Imm(1), x, upper)
	g.Comment("all eight as int16")
	g.VPACKSSDW(upper, x.AsX(), upper)
	return upper
}

// quantize emits the conversion of float32 to pairs of int16. It writes whole
// registers: the last one's lanes past the last element are 0.
func (g *generator) quantize() {
	g.function(quantizeOf(g.isa.lanes))
	inverse := g.spread("inverse")
	s := g.sweep("x")
	s.halves = append(s.halves, g.pointer("dst", "the next pairs"))
	s.run(1, func(_, at int) {
		x := s.load("x", element(s.cursors[0], at), nil)
		g.Comment("x·inverse")
		g.VMULPS(inverse, x, x)
		g.Comment("to the nearest integer")
		g.VCVTPS2DQ(x, x)
		pairs := g.narrowInt16(x)
		g.Comment("write")
		g.VMOVUPS(pairs, element(s.halves[0], at/2))
	})
	g.end()
}
