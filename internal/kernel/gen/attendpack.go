package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// How keys and values are laid out for AMX, once a sequence.

// packKeys transposes 16 keys at a time: squares of their columns.
func (g *generator) packKeys(a *attend) {
	g.at(a, "k", "keys", a.from)
	g.Comment("their squares")
	g.Load(g.Param("keys").Base(), a.dst)
	g.turns(a, a.scoreRow, 6)
	g.Label("keys")
	for part := range a.parts {
		source := g.part(a, part)
		rows := g.registers(squareSide)
		for i, x := range rows {
			g.Comment(fmt.Sprintf("key %d", i))
			g.VMOVUPS(element(source, i*tileBytes), x)
		}
		for i, x := range g.transposed(rows) {
			g.Comment(fmt.Sprintf("columns %d and %d of all", 2*i, 2*i+1))
			g.VMOVUPS(x, element(a.dst, part*tileSize+i*tileBytes))
		}
	}
	g.Comment("next 16 keys")
	g.ADDQ(operand.U32(tileSize), a.from)
	g.Comment("next squares")
	g.ADDQ(operand.U32(uint64(a.parts*tileSize)), a.dst)
	g.again(a, "keys")
}

// part is where a row's columns from 32·part on are.
func (g *generator) part(a *attend, part int) reg.GPVirtual {
	if part == 0 {
		return a.from
	}
	p := g.GP64()
	g.Comment(fmt.Sprintf("columns from %d", 32*part))
	g.LEAQ(operand.Mem{Base: a.from, Index: a.lda, Scale: 1}, p)
	return p
}

// packValues interleaves each two rows of values, 32 rows at a time, zeros filling up
// the last ones.
func (g *generator) packValues(a *attend) {
	rest, fill := g.GP64(), g.GP64()
	g.at(a, "v", "values", a.from)
	g.Comment("their squares")
	g.Load(g.Param("values").Base(), a.dst)
	g.Comment("tokens left")
	g.MOVQ(a.tokens, rest)
	g.Label("values")
	g.Comment("32 rows have")
	g.MOVQ(operand.U32(32), a.count)
	g.Comment("fewer left?")
	g.CMPQ(rest, a.count)
	g.Comment("then those")
	g.CMOVQLT(rest, a.count)
	g.Comment("in pairs,")
	g.INCQ(a.count)
	g.Comment("the last one perhaps of one row")
	g.SHRQ(operand.Imm(1), a.count)
	g.Comment("16 pairs")
	g.MOVQ(operand.U32(16), fill)
	g.Comment("of which so many are empty")
	g.SUBQ(a.count, fill)
	g.Label("pairs")
	g.pairRows(a, rest)
	g.again(a, "pairs")
	g.Comment("none empty?")
	g.TESTQ(fill, fill)
	g.Comment("then on")
	g.JZ(operand.LabelRef("filled"))
	g.Label("fill")
	for i := range 2 * a.parts {
		g.Comment("an empty pair")
		g.VMOVUPS(a.zero, element(a.dst, i*tileSize))
	}
	g.Comment("next pair")
	g.ADDQ(operand.Imm(tileBytes), a.dst)
	g.Comment("one done")
	g.DECQ(fill)
	g.Comment("more?")
	g.JNZ(operand.LabelRef("fill"))
	g.Label("filled")
	g.Comment("next squares")
	g.ADDQ(operand.U32(uint64((2*a.parts-1)*tileSize)), a.dst)
	g.Comment("rows left?")
	g.TESTQ(rest, rest)
	g.Comment("go on")
	g.JG(operand.LabelRef("values"))
}

// pairRows interleaves two rows of values; the second is 0 where it is past the last.
func (g *generator) pairRows(a *attend, rest reg.GPVirtual) {
	there := g.twoRows(rest)
	for part := range a.parts {
		source := g.part(a, part)
		first, second, low := g.ZMM(), g.ZMM(), g.ZMM()
		g.Comment("a row")
		g.VMOVDQU32(element(source, 0), first)
		g.Comment("the next, if it is there")
		g.VMOVDQU32_Z(element(source, tileBytes), there, second)
		g.Comment("the first again")
		g.VMOVDQA32(first, low)
		g.Comment("columns 0 to 15 of both")
		g.VPERMT2W(second, a.low, low)
		g.Comment("columns 16 to 31")
		g.VPERMT2W(second, a.high, first)
		g.Comment("write")
		g.VMOVUPS(low, element(a.dst, 2*part*tileSize))
		g.Comment("write")
		g.VMOVUPS(first, element(a.dst, (2*part+1)*tileSize))
	}
	g.Comment("next two rows")
	g.ADDQ(operand.U32(2*tileBytes), a.from)
	g.Comment("next pair")
	g.ADDQ(operand.Imm(tileBytes), a.dst)
}

// twoRows counts two rows of those that are left, and returns the lanes of the second:
// none where there was but one.
func (g *generator) twoRows(rest reg.GPVirtual) reg.OpmaskVirtual {
	there, mask := g.K(), g.GP64()
	g.Comment("two rows fewer")
	g.SUBQ(operand.Imm(2), rest)
	g.Comment("below 0 if there was but one:")
	g.MOVQ(rest, mask)
	g.Comment("all ones then, else 0")
	g.SARQ(operand.Imm(63), mask)
	g.Comment("the other way round")
	g.NOTQ(mask)
	g.Comment("no lane if there was but one")
	g.KMOVW(mask.As32(), there)
	return there
}
