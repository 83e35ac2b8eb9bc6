package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const squareSide = 16

// transpose emits the transposition of a square of 16 x 16 elements in registers: four
// rounds exchange elements of registers that are 1, 2, 4 and 8 apart.
func (g *generator) transpose() {
	g.function(transposeOf)
	from, step := g.pointer("x", "row 0 of x"), g.stride("stride", "from row to row of x")
	to, ldd := g.pointer("dst", "row 0 of dst"), g.stride("ldd", "from row to row of dst")
	for i, x := range g.transposed(g.loadSquare(from, step)) {
		g.Comment(fmt.Sprintf("row %d of dst", i))
		g.VMOVUPS(x, element(to, 0))
		if i+1 < squareSide {
			g.Comment("the next")
			g.ADDQ(ldd, to)
		}
	}
	g.end()
}

// transposed returns the columns of 16 rows.
func (g *generator) transposed(rows []reg.VecVirtual) []reg.VecVirtual {
	rows = g.exchange(rows, 1, "lower elements", g.VUNPCKLPS, g.VUNPCKHPS)
	rows = g.exchange(rows, 2, "lower pairs", g.VUNPCKLPD, g.VUNPCKHPD)
	rows = g.exchangeQuarters(rows, 4)
	rows = g.exchangeQuarters(rows, 8)
	columns := make([]reg.VecVirtual, squareSide)
	for i := range columns {
		columns[i] = rows[i&^3|i&1<<1|i>>1&1] // 4r+1 and 4r+2 have changed places
	}
	return columns
}

// loadSquare reads 16 rows, of which the last is read again where there are fewer.
func (g *generator) loadSquare(from, step reg.GPVirtual) []reg.VecVirtual {
	left, none := g.GP64(), g.GP64()
	g.Comment("rows")
	g.Load(g.Param("rows"), left)
	g.Comment("0")
	g.XORQ(none, none)
	rows := g.registers(squareSide)
	for i, x := range rows {
		g.Comment(fmt.Sprintf("row %d of x", i))
		g.VMOVUPS(element(from, 0), x)
		if i+1 == squareSide {
			break
		}
		g.Comment("was it the last?")
		g.CMPQ(left, operand.Imm(uint64(i+1)))
		g.Comment("then stay there")
		g.CMOVQEQ(none, step)
		g.Comment("else the next")
		g.ADDQ(step, from)
	}
	return rows
}

// exchange is a round by unpacking, which takes the lower or the upper half of each
// four elements of two registers in turns. After two rounds register 4r+1 has what
// belongs into 4r+2, and the other way round.
func (g *generator) exchange(rows []reg.VecVirtual, apart int, what string, low, high func(...operand.Op)) []reg.VecVirtual {
	return g.round(rows, apart, what, func(a, b, first, second reg.VecVirtual) {
		low(b, a, first)
		g.Comment("upper ones")
		high(b, a, second)
	})
}

// exchangeQuarters is a round that takes the even or the odd quarters.
func (g *generator) exchangeQuarters(rows []reg.VecVirtual, apart int) []reg.VecVirtual {
	return g.round(rows, apart, "quarters 0 and 2", func(a, b, first, second reg.VecVirtual) {
		g.VSHUFF32X4(operand.Imm(0x88), b, a, first)
		g.Comment("quarters 1 and 3")
		g.VSHUFF32X4(operand.Imm(0xdd), b, a, second)
	})
}

// round makes two registers of each two that are apart.
func (g *generator) round(rows []reg.VecVirtual, apart int, what string, emit func(a, b, first, second reg.VecVirtual)) []reg.VecVirtual {
	next := g.registers(squareSide)
	for i := range rows {
		if i&apart == 0 {
			g.Comment(fmt.Sprintf("registers %d and %d: %s", i, i+apart, what))
			emit(rows[i], rows[i+apart], next[i], next[i+apart])
		}
	}
	return next
}
