package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// What attend does for a tile of 16 queries.

// beginQueries goes to the sequence's first queries and results.
func (g *generator) beginQueries(a *attend) {
	g.at(a, "q", "queries", a.query)
	g.Comment("the sequence's first row, times 64")
	g.MOVQ(a.offset, a.to)
	g.Comment("its number")
	g.SHRQ(operand.Imm(6), a.to)
	g.Comment("times how far apart rows are")
	g.IMULQ(a.ldd, a.to)
	g.Comment("from dst's first")
	g.ADDQ(g.argument(g.Param("dst").Base()), a.to)
	g.Comment("queries left")
	g.MOVQ(a.tokens, a.left)
}

// scoreTile computes the scores of a tile of queries, 16 keys at a time.
func (g *generator) scoreTile(a *attend, label string) {
	const sums, queries, keys = 0, 4, 6
	stride := g.GP64()
	g.Comment("queries, columns from 0")
	g.emitTile("TILELOADD", operand.Mem{Base: a.query, Index: a.row, Scale: 1}, tmm(queries))
	if a.parts > 1 {
		second := g.GP64()
		g.Comment("columns from 32")
		g.LEAQ(operand.Mem{Base: a.query, Index: a.lda, Scale: 1}, second)
		g.Comment("of the queries")
		g.emitTile("TILELOADD", operand.Mem{Base: second, Index: a.row, Scale: 1}, tmm(queries+1))
	}
	g.Comment("squares of keys")
	g.Load(g.Param("keys").Base(), a.from)
	g.Comment("scores")
	g.Load(g.Param("scores").Base(), a.dst)
	g.Comment("from row to row of them")
	g.MOVQ(a.scoreRow, stride)
	g.turns(a, a.scoreRow, 6)
	g.Label(label)
	g.Comment("sums: 0")
	g.emitTile("TILEZERO", tmm(sums))
	for part := range a.parts {
		g.Comment(fmt.Sprintf("16 keys, columns from %d", 32*part))
		g.emitTile("TILELOADD", operand.Mem{Base: a.from, Index: a.row, Scale: 1, Disp: part * tileSize}, tmm(keys+part))
		g.Comment("sums += q·k")
		g.emitTile("TDPBF16PS", tmm(keys+part), tmm(queries+part), tmm(sums))
	}
	g.Comment("to the scores")
	g.emitTile("TILESTORED", tmm(sums), operand.Mem{Base: a.dst, Index: stride, Scale: 1})
	g.Comment("next 16 keys")
	g.ADDQ(operand.U32(uint64(a.parts*tileSize)), a.from)
	g.Comment("next 16 scores")
	g.ADDQ(operand.Imm(tileBytes), a.dst)
	g.again(a, label)
	g.Comment("next 16 queries")
	g.ADDQ(operand.U32(tileSize), a.query)
}

// weighTile makes weights of the tile's scores, row by row.
func (g *generator) weighTile(a *attend) {
	scores, weights, inverse, rows := g.GP64(), g.GP64(), g.GP64(), g.GP64()
	g.Comment("a tile has 16 rows")
	g.MOVQ(operand.U32(tileRows), rows)
	g.Comment("are there fewer queries?")
	g.CMPQ(a.left, rows)
	g.Comment("then those")
	g.CMOVQLT(a.left, rows)
	g.Comment("are needed again")
	g.MOVQ(rows, a.rows)
	g.Comment("scores")
	g.Load(g.Param("scores").Base(), scores)
	g.Comment("weights")
	g.Load(g.Param("weights").Base(), weights)
	g.Comment("inverse sums of weights")
	g.Load(g.Param("inverse").Base(), inverse)
	g.Label("weights")
	below := g.belowLargest(a, scores)
	sum := g.weighRow(a, scores, weights, below)
	one := g.XMM()
	g.Comment("1")
	g.VMOVSS(g.constant("one", 1), one)
	g.Comment("by the weights' sum")
	g.VDIVSS(sum.AsX(), one, one)
	g.Comment("write")
	g.VMOVSS(one, element(inverse, 0))
	g.Comment("next row of scores")
	g.ADDQ(a.scoreRow, scores)
	g.Comment("of weights")
	g.ADDQ(a.weightRow, weights)
	g.Comment("and its inverse")
	g.ADDQ(operand.Imm(4), inverse)
	g.Comment("one row done")
	g.DECQ(rows)
	g.Comment("more?")
	g.JNZ(operand.LabelRef("weights"))
}

// belowLargest returns the negative of a row's largest score in every lane.
func (g *generator) belowLargest(a *attend, scores reg.GPVirtual) reg.VecVirtual {
	largest, x := g.ZMM(), g.ZMM()
	g.Comment("largest so far")
	g.VMOVAPS(a.least, largest)
	g.Comment("scores")
	g.MOVQ(scores, a.from)
	g.turns(a, a.scoreRow, 6)
	g.Comment("the last 16 apart")
	g.DECQ(a.count)
	g.Comment("are those all?")
	g.JZ(operand.LabelRef("largest"))
	g.Label("larger")
	g.Comment("the larger")
	g.VMAXPS(element(a.from, 0), largest, largest)
	g.Comment("next 16")
	g.ADDQ(operand.Imm(tileBytes), a.from)
	g.again(a, "larger")
	g.Label("largest")
	g.Comment("-Inf where there is no key")
	g.VMOVAPS(a.least, x)
	g.Comment("the last scores")
	g.VMOVUPS(element(a.from, 0), a.last, x)
	g.Comment("the larger")
	g.VMAXPS(x, largest, largest)
	g.combine([]reg.VecVirtual{largest}, g.VMAXPS)
	g.Comment("in every lane")
	g.VBROADCASTSS(largest.AsX(), largest)
	g.Comment("- the largest")
	g.VSUBPS(largest, a.zero, largest)
	return largest
}

// weighRow writes a row's weights and returns their sum in lane 0.
func (g *generator) weighRow(a *attend, scores, weights reg.GPVirtual, below reg.VecVirtual) reg.VecVirtual {
	sum := g.zeros(1)
	g.Comment("scores")
	g.MOVQ(scores, a.from)
	g.Comment("weights")
	g.MOVQ(weights, a.dst)
	g.turns(a, a.scoreRow, 6)
	g.Comment("the last 16 apart")
	g.DECQ(a.count)
	g.Comment("are those all?")
	g.JZ(operand.LabelRef("weighed"))
	g.Label("weigh")
	g.weigh(a, below, sum[0], false)
	g.Comment("next 16 scores")
	g.ADDQ(operand.Imm(tileBytes), a.from)
	g.Comment("next 16 weights")
	g.ADDQ(operand.Imm(tileBytes/2), a.dst)
	g.again(a, "weigh")
	g.Label("weighed")
	g.weigh(a, below, sum[0], true)
	row := g.GP64()
	g.Comment("bytes of a row of scores")
	g.MOVQ(a.scoreRow, row)
	g.Comment("is a tile of weights half full?")
	g.TESTQ(operand.U32(tileBytes), row)
	g.Comment("no")
	g.JZ(operand.LabelRef("full"))
	g.Comment("no weight for keys that are not there")
	g.VMOVUPS(a.zero.AsY(), element(a.dst, tileBytes/2))
	g.Label("full")
	g.combine(sum, g.VADDPS)
	return sum[0]
}

// weigh makes weights of 16 scores.
func (g *generator) weigh(a *attend, below, sum reg.VecVirtual, last bool) {
	x, pairs := g.ZMM(), g.ZMM()
	g.Comment("scores - the largest")
	g.VADDPS(element(a.from, 0), below, x)
	e := g.nearExp2(x, a.exp2.constant)
	if last {
		g.Comment("keys that are not there weigh nothing")
		g.VMOVAPS_Z(e, a.last, e)
	}
	g.Comment("sum += weights")
	g.VADDPS(e, sum, sum)
	g.Comment("as bfloat16")
	g.emitMissing("VCVTNEPS2BF16", "AVX512BF16", false, e, pairs)
	g.Comment("write")
	g.VMOVUPS(pairs.AsY(), element(a.dst, 0))
}

// sumTile multiplies the tile's weights with the values.
func (g *generator) sumTile(a *attend) {
	const weights, values = 4, 6
	stride := g.GP64()
	g.Comment("weights")
	g.Load(g.Param("weights").Base(), a.from)
	g.Comment("squares of values")
	g.Load(g.Param("values").Base(), a.dst)
	g.Comment("from row to row of the weights")
	g.MOVQ(a.weightRow, stride)
	g.turns(a, a.weightRow, 6)
	for i := range 2 * a.parts {
		g.Comment(fmt.Sprintf("sums %d: 0", i))
		g.emitTile("TILEZERO", tmm(i))
	}
	g.Label("sums")
	g.Comment("weights of 32 keys")
	g.emitTile("TILELOADD", operand.Mem{Base: a.from, Index: stride, Scale: 1}, tmm(weights))
	for i := range 2 * a.parts {
		g.Comment(fmt.Sprintf("their values, columns from %d", 16*i))
		g.emitTile("TILELOADD", operand.Mem{Base: a.dst, Index: a.row, Scale: 1, Disp: i * tileSize}, tmm(values+i%2))
		g.Comment("sums += weights·values")
		g.emitTile("TDPBF16PS", tmm(values+i%2), tmm(weights), tmm(i))
	}
	g.Comment("next 32 keys")
	g.ADDQ(operand.Imm(tileBytes), a.from)
	g.Comment("and values")
	g.ADDQ(operand.U32(uint64(2*a.parts*tileSize)), a.dst)
	g.again(a, "sums")
	g.Comment("results")
	g.Load(g.Param("out").Base(), a.from)
	g.Comment("from row to row of them")
	g.MOVQ(operand.U32(uint64(2*a.parts*tileBytes)), stride)
	for i := range 2 * a.parts {
		g.Comment(fmt.Sprintf("columns from %d", 16*i))
		g.emitTile("TILESTORED", tmm(i), operand.Mem{Base: a.from, Index: stride, Scale: 1, Disp: i * tileBytes})
	}
}

// writeTile divides the results by their weights' sums.
func (g *generator) writeTile(a *attend) {
	inverse := g.GP64()
	g.Comment("inverse sums of weights")
	g.Load(g.Param("inverse").Base(), inverse)
	g.Comment("rows")
	g.MOVQ(a.rows, a.count)
	g.Label("rows")
	scale := g.ZMM()
	g.Comment("the row's")
	g.VBROADCASTSS(element(inverse, 0), scale)
	for i := range 2 * a.parts {
		x := g.ZMM()
		g.Comment("divided by the weights' sum")
		g.VMULPS(element(a.from, i*tileBytes), scale, x)
		g.Comment("write")
		g.VMOVUPS(x, element(a.to, i*tileBytes))
	}
	g.Comment("next row")
	g.ADDQ(operand.U32(uint64(2*a.parts*tileBytes)), a.from)
	g.Comment("of dst")
	g.ADDQ(a.ldd, a.to)
	g.Comment("and its sum")
	g.ADDQ(operand.Imm(4), inverse)
	g.again(a, "rows")
}

// nearExp2Terms are those of 2^f in powers of f, highest first, for 0 <= f < 1: the least
// largest relative error, found by Lawson's iteration. It is below 8e-5, a fraction of
// what rounding to bfloat16 adds.
var nearExp2Terms = []term{
	{"near2f3", 0.07802445852},
	{"near2f2", 0.2260672467},
	{"near2f1", 0.6958335092},
	{"near2f0", 0.9999252200},
}

// nearLeast is the least that nearExp2 takes: no result is smaller than 2^-126, where
// numbers begin that slow a processor down.
var nearLeast = term{"nearleastexponent", -125}

// nearExp2 returns 2^t; t below -125 counts as -125. It overwrites t.
func (g *generator) nearExp2(t reg.VecVirtual, constant func(t term) operand.Op) reg.VecVirtual {
	const floor = 9 // the distance from the next lower whole number
	f, e := g.register(), g.register()
	g.Comment("not below -125")
	g.VMAXPS(constant(nearLeast), t, t)
	g.Comment("f, what t is above a whole number")
	g.VREDUCEPS(operand.Imm(floor), t, f)
	g.Comment("2^f by its polynomial")
	g.VMOVUPS(constant(nearExp2Terms[0]), e)
	for _, term := range nearExp2Terms[1:] {
		g.Comment("·f + " + term.name)
		g.VFMADD213PS(constant(term), f, e)
	}
	g.Comment("times 2 to the power of that number")
	g.VSCALEFPS(t, e, e)
	return e
}
