package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// How weights are made of a tile's scores.

// weigher is the constants and the row's numbers.
type weigher struct {
	*generator
	a     *attend
	held  held
	unit  reg.VecVirtual // what 1 of a score is, of int32
	below reg.VecVirtual // the negative of the row's largest score
	sum   reg.VecVirtual // of the row's weights
}

// rowsBehind is where the rows of a tile of that height have their numbers in inverse:
// behind a vector of each, of which they are made.
func rowsBehind(height int) int { return height * tileBytes }

// forgetLargest sets what the tile's scores are compared with to what none is below.
func (g *generator) forgetLargest() {
	largest := g.pointer("inverse", "the rows' largest scores, 16 of each")
	least := g.lowestScore()
	for r := range rowHeight {
		g.Comment(fmt.Sprintf("row %d", r))
		g.VMOVUPS(least, element(largest, r*tileBytes))
	}
}

// keepLargest compares scores with the largest so far, in pipes that products leave idle.
// It overwrites the scores, which are in memory.
func (g *generator) keepLargest(sums [][]reg.VecVirtual) {
	largest := g.pointer("inverse", "the rows' largest scores, 16 of each")
	for r, row := range sums {
		for _, x := range row[1:] {
			g.Comment("the larger of the row's")
			g.largerScores(x, row[0], row[0])
		}
		g.Comment("and of those before")
		g.largerScores(element(largest, r*tileBytes), row[0], row[0])
		g.Comment("write")
		g.VMOVUPS(row[0], element(largest, r*tileBytes))
	}
}

// rowsOf loads each row's vector in inverse.
func (g *generator) rowsOf(from reg.GPVirtual, height int) []reg.VecVirtual {
	rows := g.registers(height)
	for r, x := range rows {
		g.Comment(fmt.Sprintf("row %d's", r))
		g.VMOVUPS(element(from, r*tileBytes), x)
	}
	return rows
}

// ofRows returns what op makes of each row's vector, in the row's lane. Twelve rows at
// once take a quarter of the instructions of twelve by themselves.
func (g *generator) ofRows(rows []reg.VecVirtual, op func(...operand.Op)) reg.VecVirtual {
	rows = g.halve(rows, op, "elements of two rows in turns", g.VUNPCKLPS, g.VUNPCKHPS)
	rows = g.halve(rows, op, "pairs of four rows in turns", g.VUNPCKLPD, g.VUNPCKHPD)
	quarters := func(even uint64) func(...operand.Op) {
		return func(ops ...operand.Op) { g.VSHUFF32X4(append([]operand.Op{operand.Imm(even)}, ops...)...) }
	}
	for len(rows) > 1 {
		if len(rows)%2 == 1 {
			rows = append(rows, rows[len(rows)-1])
		}
		rows = g.halve(rows, op, "even and odd quarters", quarters(0x88), quarters(0xdd))
	}
	return rows[0]
}

// halve makes one register of each two: op of what low and high take of them.
func (g *generator) halve(rows []reg.VecVirtual, op func(...operand.Op), what string, low, high func(...operand.Op)) []reg.VecVirtual {
	var halved []reg.VecVirtual
	for i := 0; i < len(rows); i += 2 {
		x, y := g.ZMM(), g.ZMM()
		g.Comment(what)
		low(rows[i+1], rows[i], x)
		g.Comment("and the others")
		high(rows[i+1], rows[i], y)
		g.Comment("together")
		op(y, x, x)
		halved = append(halved, x)
	}
	return halved
}

// weighScores makes weights of the scores of the queries that are there.
func (g *generator) weighScores(a *rowAttend) {
	numbers := g.pointer("inverse", "what rows are told by")
	g.weighRows(&a.attend, g.rowsOf(numbers, rowHeight), numbers)
}

// weighRows makes weights of the scores of a tile's queries that are there. largest holds
// the largest scores of each row, 16 of each.
func (g *generator) weighRows(a *attend, largest []reg.VecVirtual, numbers reg.GPVirtual) {
	scores, weights, rows, height := g.GP64(), g.GP64(), g.GP64(), len(largest)
	w := &weigher{generator: g, a: a}
	below := w.lower(g.ofRows(largest, g.largerScores), numbers)
	g.Comment("of each row")
	g.VMOVUPS(below, element(numbers, rowsBehind(height)))
	w.held, w.below, w.sum = g.hold(g.weightTerms()), g.ZMM(), g.ZMM()
	g.Comment("queries of the tile")
	g.MOVQ(a.rows, rows)
	g.Comment("scores")
	g.Load(g.Param("scores").Base(), scores)
	place, further := "weights", a.weightRow
	if g.isa.integers() { // where they wait for their sum
		place, further = "scores", a.scoreRow
	}
	g.Comment("weights")
	g.Load(g.Param(place).Base(), weights)
	row := g.GP64()
	g.Comment("the first row")
	g.MOVQ(numbers, row)
	lowered := g.GP64()
	g.Comment("and its largest score")
	g.LEAQ(element(numbers, rowsBehind(height)), lowered)
	g.Label("weights")
	g.Comment("- the largest, in every lane")
	g.VBROADCASTSS(element(lowered, 0), w.below)
	w.weighRow(scores, weights)
	g.Comment("write the sums of the row's weights")
	g.VMOVUPS(w.sum, element(row, 0))
	g.Comment("next row of scores")
	g.ADDQ(a.scoreRow, scores)
	g.Comment("of weights")
	g.ADDQ(further, weights)
	g.Comment("of sums")
	g.ADDQ(operand.Imm(tileBytes), row)
	g.Comment("and its largest score")
	g.ADDQ(operand.Imm(4), lowered)
	g.Comment("one row done")
	g.DECQ(rows)
	g.Comment("more?")
	g.JNZ(operand.LabelRef("weights"))
	total := g.ofRows(g.rowsOf(numbers, height), g.VADDPS)
	if g.isa.integers() {
		g.roundWeights(a, total, numbers, height)
	}
	one := g.ZMM()
	g.Comment("1")
	g.VMOVUPS(g.constant("one", 1), one)
	g.Comment("by the weights' sum")
	g.VDIVPS(total, one, one)
	g.Comment("of each row")
	g.VMOVUPS(one, element(numbers, rowsBehind(height)))
}

// weighRow writes a row's weights, 32 at a time while more follow, and sums them up.
func (w *weigher) weighRow(scores, weights reg.GPVirtual) {
	a := w.a
	w.Comment("scores")
	w.MOVQ(scores, a.from)
	w.Comment("weights")
	w.MOVQ(weights, a.dst)
	w.Comment("sum: 0")
	w.VXORPS(w.sum, w.sum, w.sum)
	w.Comment("keys")
	w.MOVQ(a.tokens, a.count)
	w.Comment("more than 32?")
	w.SUBQ(operand.Imm(33), a.count)
	w.Comment("no")
	w.JL(operand.LabelRef("lastkeys"))
	w.Label("weigh")
	w.storeWeights(w.weigh(0), w.weigh(1))
	w.Comment("next 32 scores")
	w.ADDQ(operand.U32(2*tileBytes), a.from)
	w.Comment("next 32 weights")
	w.ADDQ(operand.U32(w.weightBytes(32)), a.dst)
	w.Comment("so many are done")
	w.SUBQ(operand.Imm(32), a.count)
	w.Comment("more than 32 left?")
	w.JGE(operand.LabelRef("weigh"))
	w.Label("lastkeys")
	w.Comment("more than 16 left?")
	w.CMPQ(a.count, operand.I8(16-33))
	w.Comment("no")
	w.JLE(operand.LabelRef("few"))
	w.storeWeights(w.weigh(0), w.mask(w.weigh(1)))
	w.Comment("that was the row")
	w.JMP(operand.LabelRef("weighed"))
	w.Label("few")
	w.storeFew(w.mask(w.weigh(0)))
	w.Label("weighed")
}
