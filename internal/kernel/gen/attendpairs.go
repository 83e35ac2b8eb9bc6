package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Attention of one head over whole sequences, by VDPBF16PS. One call goes over all
// tiles of queries of all sequences: between the few instructions that a short sequence's
// products take, no function is called. Keys and values are rounded and laid out once a
// sequence; a tile of queries has its scores, and then its weights, in the nearest cache.

// pairHeight is how many queries a tile has.
const pairHeight = 12

// pairAttend is such a function under construction.
type pairAttend struct {
	attend
	lda operand.Mem // from row to row of q, k and v
}

// columns is how many a head has, and keyBytes what 16 keys take.
func (a *pairAttend) columns() int  { return 32 * a.parts }
func (a *pairAttend) keyBytes() int { return a.parts * tileSize }

// queryBytes is what a query takes once it is rounded.
func (a *pairAttend) queryBytes() int { return a.parts * tileBytes }

func (g *generator) pairAttention(parts int) {
	a := &pairAttend{attend: attend{parts: parts}}
	name := fmt.Sprintf("attend%d%s", a.columns(), g.isa.name)
	g.Function(name)
	g.SignatureExpr("func(dst, q, k, v, keys, values, scores, weights, queries, inverse []float32, starts []int32, lda, ldd int)")
	g.Pragma("noescape")
	g.Doc(
		fmt.Sprintf("%s computes, for each sequence of at least one row, starts[s]-starts[0], …, starts[s+1]-starts[0]-1,", name), "",
		"\tdst = softmax(q·kᵀ)·v // of base 2", "",
		fmt.Sprintf("for one head of %d columns. Rows of q, k and v are lda apart, rows of dst ldd. Queries, keys, values and weights", a.columns()),
		"are rounded to bfloat16. The rest is memory, for tokens of the longest sequence: keys and values of",
		fmt.Sprintf("%d elements a token and 16 tokens more, scores of %d for each and 16 more, weights of half as many and", 16*parts, pairHeight),
		fmt.Sprintf("32 tokens more, queries of %d, inverse of %d.", 16*parts*pairHeight, 16*(pairHeight+1)),
	)
	g.beginPairs(a)
	g.Label("sequence")
	g.beginRows(a)
	g.roundKeys(a)
	g.roundValues(a)
	g.Label("queries")
	g.roundQueries(a)
	g.forgetLargest()
	g.eachHeight(a, "scored", g.scorePairs)
	g.weighPairs(a)
	g.eachHeight(a, "summed", g.sumPairs)
	g.Comment("so many queries are done")
	g.SUBQ(operand.Imm(pairHeight), a.left)
	g.Comment("more?")
	g.JG(operand.LabelRef("queries"))
	g.Comment("next sequence")
	g.ADDQ(operand.Imm(4), a.sequence)
	g.Comment("one less")
	g.DECQ(g.argument(g.Param("starts").Len()))
	g.Comment("the last start is an end")
	g.CMPQ(g.argument(g.Param("starts").Len()), operand.Imm(1))
	g.Comment("another?")
	g.JG(operand.LabelRef("sequence"))
	g.end()
}

func (g *generator) beginPairs(a *pairAttend) {
	a.sequence, a.query, a.to, a.left = g.GP64(), g.GP64(), g.GP64(), g.GP64()
	a.count, a.from, a.dst = g.GP64(), g.GP64(), g.GP64()
	a.offset, a.tokens, a.rows, a.scoreRow, a.weightRow = g.AllocLocal(8), g.AllocLocal(8), g.AllocLocal(8), g.AllocLocal(8), g.AllocLocal(8)
	a.lda = g.keptStride("lda", "from row to row of q, k and v")
	a.ldd = g.keptStride("ldd", "from row to row of dst")
	g.Comment("where the first sequence starts")
	g.Load(g.Param("starts").Base(), a.sequence)
}

// beginRows sets what depends on where the sequence starts and how long it is.
func (g *generator) beginRows(a *pairAttend) {
	first, x := g.GP64(), g.GP64()
	g.sequenceRows(&a.attend, first, a.left, x)
	g.Comment("its first result")
	g.MOVQ(first, a.to)
	g.Comment("is as many rows")
	g.IMULQ(a.ldd, a.to)
	g.Comment("behind dst's")
	g.ADDQ(g.argument(g.Param("dst").Base()), a.to)
	g.Comment("its first query")
	g.IMULQ(a.lda, first)
	g.Comment("is so far")
	g.MOVQ(first, a.offset)
	g.at(&a.attend, "q", "behind q's", a.query)
	g.rowBytes("a row of scores", a.left, x, tileRows, 2, a.scoreRow)
	g.rowBytes("a row of weights", a.left, x, 2*tileRows, 1, a.weightRow)
	last := g.GP64()
	g.Comment("tokens")
	g.MOVQ(a.left, last)
	g.lastLanes(&a.attend, last)
}

// roundKeys rounds 16 keys at a time and transposes them: squares of their columns.
func (g *generator) roundKeys(a *pairAttend) {
	rest := g.GP64()
	g.at(&a.attend, "k", "keys", a.from)
	g.Comment("their squares")
	g.Load(g.Param("keys").Base(), a.dst)
	g.Comment("keys left")
	g.MOVQ(a.tokens, rest)
	g.Label("keys")
	for part := range a.parts {
		for i, x := range g.transposed(g.roundSquare(a, rest, part)) {
			g.Comment(fmt.Sprintf("columns %d and %d of all", 32*part+2*i, 32*part+2*i+1))
			g.VMOVUPS(x, element(a.dst, part*tileSize+i*tileBytes))
		}
	}
	step := g.GP64()
	g.Comment("a row")
	g.MOVQ(a.lda, step)
	g.Comment("times 16")
	g.SHLQ(operand.Imm(4), step)
	g.Comment("next 16 keys")
	g.ADDQ(step, a.from)
	g.Comment("next squares")
	g.ADDQ(operand.U32(uint64(a.keyBytes())), a.dst)
	g.Comment("so many are done")
	g.SUBQ(operand.Imm(squareSide), rest)
	g.Comment("more?")
	g.JG(operand.LabelRef("keys"))
}

// roundSquare reads 32 columns of 16 rows, of which the last is read again where fewer are left.
func (g *generator) roundSquare(a *pairAttend, rest reg.GPVirtual, part int) []reg.VecVirtual {
	from, step, none := g.GP64(), g.GP64(), g.GP64()
	g.Comment("0")
	g.XORQ(none, none)
	g.Comment("row 0")
	g.MOVQ(a.from, from)
	g.Comment("from row to row")
	g.MOVQ(a.lda, step)
	rows := make([]reg.VecVirtual, squareSide)
	for i := range rows {
		rows[i] = g.pairsOf(fmt.Sprintf("row %d", i), from, 2*part*tileBytes)
		if i+1 == squareSide {
			break
		}
		g.Comment("was it the last?")
		g.CMPQ(rest, operand.Imm(uint64(i+1)))
		g.Comment("then stay there")
		g.CMOVQEQ(none, step)
		g.Comment("else the next")
		g.ADDQ(step, from)
	}
	return rows
}

// pairsOf returns 32 columns that lie side by side as pairs of bfloat16.
func (g *generator) pairsOf(what string, from reg.GPVirtual, at int) reg.VecVirtual {
	low, high := g.ZMM(), g.ZMM()
	g.Comment(what + ", 16 columns")
	g.VMOVUPS(element(from, at), low)
	g.Comment("and 16 more")
	g.VMOVUPS(element(from, at+tileBytes), high)
	g.Comment("as bfloat16")
	g.emitMissing("VCVTNE2PS2BF16", "AVX512BF16", false, low, high, high)
	return high
}

// roundValues makes pairs of each two rows of values; the second is 0 past the last.
func (g *generator) roundValues(a *pairAttend) {
	rest, step, order := g.GP64(), g.GP64(), g.ZMM()
	g.at(&a.attend, "v", "values", a.from)
	g.Comment("their pairs")
	g.Load(g.Param("values").Base(), a.dst)
	g.Comment("from row to row")
	g.MOVQ(a.lda, step)
	g.Comment("rows left")
	g.MOVQ(a.tokens, rest)
	g.Comment("words of a row and of the next in turns")
	g.VMOVDQU64(g.alternated("turns", 0, 16), order)
	g.Label("values")
	there := g.twoRows(rest)
	for i := range 2 * a.parts {
		first, second := g.ZMM(), g.ZMM()
		g.Comment("a row")
		g.VMOVUPS(element(a.from, i*tileBytes), first)
		g.Comment("the next, if it is there")
		g.VMOVUPS_Z(operand.Mem{Base: a.from, Index: step, Scale: 1, Disp: i * tileBytes}, there, second)
		g.Comment("as bfloat16")
		g.emitMissing("VCVTNE2PS2BF16", "AVX512BF16", false, first, second, second)
		g.Comment("in turns")
		g.VPERMW(second, order, second)
		g.Comment("write")
		g.VMOVUPS(second, element(a.dst, i*tileBytes))
	}
	g.Comment("next two rows")
	g.LEAQ(operand.Mem{Base: a.from, Index: step, Scale: 2}, a.from)
	g.Comment("next pairs")
	g.ADDQ(operand.U32(uint64(2*a.parts*tileBytes)), a.dst)
	g.Comment("rows left?")
	g.TESTQ(rest, rest)
	g.Comment("go on")
	g.JG(operand.LabelRef("values"))
}
