package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The scores of a tile of queries.

// layQueries takes the queries that are there, and goes on to the next tile's. The
// others' scores are whatever was there before: nobody reads their results.
func (g *generator) layQueries(a *rowAttend) {
	step := g.GP64()
	g.Comment("a tile's rows")
	g.MOVQ(operand.U32(rowHeight), a.count)
	g.Comment("are there fewer queries?")
	g.CMPQ(a.left, a.count)
	g.Comment("then those")
	g.CMOVQLT(a.left, a.count)
	g.Comment("are needed again")
	g.MOVQ(a.count, a.rows)
	g.Comment("where they go")
	g.Load(g.Param("queries").Base(), a.dst)
	g.Comment("from row to row")
	g.MOVQ(a.lda, step)
	g.useFactors(a, queryFactors)
	g.Label("query")
	for square := range a.steps() / squareSide {
		x := g.stepsOf(a, "a query", a.query, square)
		g.Comment("write")
		g.VMOVUPS(x, element(a.dst, square*tileBytes))
	}
	g.Comment("next query")
	g.ADDQ(step, a.query)
	g.Comment("and its place")
	g.ADDQ(operand.U32(uint64(a.queryBytes())), a.dst)
	g.again(&a.attend, "query")
}

// rowHeights are those of a tile that has fewer queries.
var rowHeights = []int{rowHeight, 8, 4}

// eachHeight emits what is done for a tile of as many queries as are there, or a few more.
func (g *generator) eachHeight(a *rowAttend, what string, emit func(a *rowAttend, height int)) {
	for i, height := range rowHeights {
		if i+1 < len(rowHeights) {
			g.Comment("queries of the tile")
			g.CMPQ(a.rows, operand.U32(uint64(rowHeights[i+1])))
			g.Comment("so few?")
			g.JLE(operand.LabelRef(fmt.Sprintf("%s%d", what, rowHeights[i+1])))
		}
		emit(a, height)
		if i+1 < len(rowHeights) {
			g.Comment("that was it")
			g.JMP(operand.LabelRef(what))
			g.Label(fmt.Sprintf("%s%d", what, rowHeights[i+1]))
		}
	}
	g.Label(what)
}

// scoreRows computes the tile's scores, 32 keys at a time, or the 16 that are left.
func (g *generator) scoreRows(a *rowAttend, height int) {
	more, fewer, none := fmt.Sprintf("more%d", height), fmt.Sprintf("fewer%d", height), fmt.Sprintf("none%d", height)
	blocks := g.GP64()
	g.Comment("squares of keys")
	g.Load(g.Param("keys").Base(), a.from)
	g.Comment("scores")
	g.Load(g.Param("scores").Base(), a.dst)
	g.Comment("bytes of a row of them")
	g.MOVQ(a.scoreRow, blocks)
	g.Comment("16 keys have 64")
	g.SHRQ(operand.Imm(6), blocks)
	g.Comment("fewer than 32 keys?")
	g.SUBQ(operand.Imm(2), blocks)
	g.Comment("then those")
	g.JL(operand.LabelRef(fewer))
	g.Label(more)
	g.scoreKeys(a, fmt.Sprintf("pair%d", height), height, 2)
	g.Comment("next 32 keys")
	g.ADDQ(operand.U32(uint64(2*a.keyBytes())), a.from)
	g.Comment("and their scores")
	g.ADDQ(operand.U32(2*tileBytes), a.dst)
	g.Comment("32 keys done")
	g.SUBQ(operand.Imm(2), blocks)
	g.Comment("more?")
	g.JGE(operand.LabelRef(more))
	g.Label(fewer)
	g.Comment("are 16 left?")
	g.CMPQ(blocks, operand.I8(-1))
	g.Comment("no")
	g.JL(operand.LabelRef(none))
	g.scoreKeys(a, fmt.Sprintf("single%d", height), height, 1)
	g.Label(none)
}

// scoreKeys computes the tile's scores against 16 keys or 32.
func (g *generator) scoreKeys(a *rowAttend, label string, height, vectors int) {
	const unroll = 4
	sums, query, key := g.rowSums(height, vectors), g.GP64(), g.GP64()
	g.Comment("queries")
	g.Load(g.Param("queries").Base(), query)
	g.Comment("squares of keys")
	g.MOVQ(a.from, key)
	g.Comment(fmt.Sprintf("turns of %d steps", unroll))
	g.MOVQ(operand.U32(uint64(a.steps()/unroll)), a.count)
	g.Label(label)
	for i := range unroll {
		b := g.registers(vectors)
		for v := range b {
			g.Comment(fmt.Sprintf("keys from %d", 16*v))
			g.VMOVUPS(element(key, v*a.keyBytes()+i*tileBytes), b[v])
		}
		for r := range sums {
			g.addProducts(element(query, r*a.queryBytes()+4*i), b, sums[r], r)
		}
	}
	g.Comment("next columns of the queries")
	g.ADDQ(operand.Imm(4*unroll), query)
	g.Comment("and of the keys")
	g.ADDQ(operand.U32(unroll*tileBytes), key)
	g.again(&a.attend, label)
	g.storeScores(a, sums)
	g.keepLargest(sums)
}

// rowSums returns the sums of a tile, which are 0.
func (g *generator) rowSums(height, vectors int) [][]reg.VecVirtual {
	sums := make([][]reg.VecVirtual, height)
	for r := range sums {
		sums[r] = g.zeros(vectors)
	}
	return sums
}

// addProducts adds the products of a row's element with b.
func (g *generator) addProducts(of operand.Mem, b, sums []reg.VecVirtual, row int) {
	x := g.ZMM()
	g.Comment(fmt.Sprintf("row %d's in every lane", row))
	g.VBROADCASTSS(of, x)
	for v := range b {
		g.Comment(fmt.Sprintf("row %d, vector %d += its products", row, v))
		switch {
		case g.isa.integers():
			g.emitMissing("VPDPWSSD", g.isa.vnni(), true, x, b[v], sums[v])
		case g.isa.rounds():
			g.emitMissing("VDPBF16PS", "AVX512BF16", true, x, b[v], sums[v])
		default:
			g.VFMADD231PS(x, b[v], sums[v])
		}
	}
}

// storeScores writes a tile of scores.
func (g *generator) storeScores(a *rowAttend, sums [][]reg.VecVirtual) {
	to, row := g.GP64(), g.GP64()
	g.Comment("row 0 of the scores")
	g.MOVQ(a.dst, to)
	g.Comment("from row to row of them")
	g.MOVQ(a.scoreRow, row)
	for r := range sums {
		for v, x := range sums[r] {
			g.Comment(fmt.Sprintf("row %d, vector %d", r, v))
			g.VMOVUPS(x, element(to, v*tileBytes))
		}
		g.Comment("next row")
		g.ADDQ(row, to)
	}
}
