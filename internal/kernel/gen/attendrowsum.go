package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The results of a tile of queries: its weights by the values.

// sumRows multiplies the tile's weights with the values, 32 columns at a time.
func (g *generator) sumRows(a *rowAttend, height int) {
	for part := range a.parts {
		label := fmt.Sprintf("sum%dof%d", part, height)
		sums, step := g.rowSums(height, 2), g.GP64()
		weights := g.pointer("weights", "weights")
		g.Comment("from row to row of them")
		g.MOVQ(a.weightRow, step)
		rows := g.rowPointers(weights, step, height)
		value, further := g.beginValues(a)
		g.Label(label)
		b := g.registers(2)
		for v := range b {
			g.Comment(fmt.Sprintf("values, columns from %d", 32*part+16*v))
			g.VMOVUPS(element(value, (2*part+v)*tileBytes), b[v])
		}
		for r := range sums {
			g.addProducts(rows.row(r), b, sums[r], r)
		}
		rows.advance(g, "weights", 4)
		g.Comment("next values")
		g.ADDQ(further, value)
		g.again(&a.attend, label)
		g.writeRows(a, sums, part)
	}
}

// beginValues returns where values begin and how far apart they are, and sets count to how
// many: rows as they are, or pairs of rows.
func (g *generator) beginValues(a *rowAttend) (value reg.GPVirtual, further operand.Op) {
	value = g.GP64()
	if !g.isa.rounds() {
		g.at(&a.attend, "v", "values", value)
		g.Comment("keys")
		g.MOVQ(a.tokens, a.count)
		return value, a.lda
	}
	g.Comment("pairs of values")
	g.Load(g.Param("values").Base(), value)
	g.Comment("keys")
	g.MOVQ(a.tokens, a.count)
	g.Comment("in pairs,")
	g.INCQ(a.count)
	g.Comment("the last one perhaps of one")
	g.SHRQ(operand.Imm(1), a.count)
	return value, operand.U32(uint64(2 * a.parts * tileBytes))
}

// writeRows divides the results of the queries that are there by their weights' sums.
func (g *generator) writeRows(a *rowAttend, sums [][]reg.VecVirtual, part int) {
	inverse, to, done := g.GP64(), g.GP64(), fmt.Sprintf("written%dof%d", part, len(sums))
	g.Comment("inverse sums of weights")
	g.Load(g.Param("inverse").Base(), inverse)
	g.Comment("results")
	g.MOVQ(a.to, to)
	g.Comment("queries")
	g.MOVQ(a.rows, a.count)
	for r := range sums {
		scale := g.ZMM()
		g.Comment(fmt.Sprintf("row %d's", r))
		g.VBROADCASTSS(element(inverse, rowsBehind(rowHeight)+4*r), scale)
		for v, x := range sums[r] {
			g.resultOf(a, x, inverse, 2*part+v)
			g.Comment("divided by the weights' sum")
			g.VMULPS(scale, x, x)
			g.Comment("write")
			g.VMOVUPS(x, element(to, (2*part+v)*tileBytes))
		}
		g.Comment("next row")
		g.ADDQ(a.ldd, to)
		if r+1 < len(sums) {
			g.Comment("one row done")
			g.DECQ(a.count)
			g.Comment("the last?")
			g.JZ(operand.LabelRef(done))
		}
	}
	g.Label(done)
	if part == a.parts-1 {
		g.Comment("the next tile's results")
		g.MOVQ(to, a.to)
	}
}

// resultOf makes float32 of a sum of 16 columns, where it is int32.
func (g *generator) resultOf(a *rowAttend, x reg.VecVirtual, inverse reg.GPVirtual, vector int) {
	if !g.isa.integers() {
		return
	}
	g.Comment("as a number")
	g.VCVTDQ2PS(x, x)
	g.Comment("in its column's unit")
	g.VMULPS(element(inverse, a.factorsBehind(valueUnits)+vector*tileBytes), x, x)
}
