package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Attention of one head over whole sequences, by multiply-adds of float32, VDPBF16PS or
// VPDPWSSD. One call goes over all tiles of queries of all sequences: between the few
// instructions that a short sequence's products take, no function is called. Keys are laid
// out once a sequence, and so are values where they are rounded; a tile of queries has its
// scores, and then its weights, in the nearest cache.

// rowHeight is how many queries a tile has.
const rowHeight = 12

// rowAttend is such a function under construction.
type rowAttend struct {
	attend
	lda      operand.Mem   // from row to row of q, k and v
	together int           // columns that a step multiplies at once: 2 where they are rounded
	factors  reg.GPVirtual // of int16: what a row's columns are multiplied by
}

// columns is how many a head has, and steps how many a sum over them takes.
func (a *rowAttend) columns() int { return 32 * a.parts }
func (a *rowAttend) steps() int   { return a.columns() / a.together }

// keyBytes is what 16 keys take, and queryBytes what a query does.
func (a *rowAttend) keyBytes() int   { return a.steps() * tileBytes }
func (a *rowAttend) queryBytes() int { return 4 * a.steps() }

func (g *generator) rowAttention(parts int) {
	a := &rowAttend{attend: attend{parts: parts}, together: 1}
	if g.isa.rounds() {
		a.together = 2
	}
	name := fmt.Sprintf("attend%d%s", a.columns(), g.isa.name)
	g.Function(name)
	g.SignatureExpr("func(dst, q, k, v, keys, values, scores, weights, queries, inverse []float32, starts []int32, lda, ldd int)")
	g.Pragma("noescape")
	g.Doc(a.doc(name, g.isa)...)
	g.beginRowAttend(a)
	g.Label("sequence")
	g.beginRows(a)
	if g.isa.integers() {
		g.scaleOperands(a)
	}
	g.layKeys(a)
	if g.isa.rounds() {
		g.layValues(a)
	}
	g.Label("queries")
	g.layQueries(a)
	g.forgetLargest()
	g.eachHeight(a, "scored", g.scoreRows)
	g.weighScores(a)
	g.eachHeight(a, "summed", g.sumRows)
	g.Comment("so many queries are done")
	g.SUBQ(operand.Imm(rowHeight), a.left)
	g.Comment("more?")
	g.JG(operand.LabelRef("queries"))
	g.nextSequence(&a.attend)
	g.end()
}

func (a *rowAttend) doc(name string, i *isa) []string {
	numbers := 16 * (rowHeight + 1)
	memory := []string{
		"The rest is memory, for tokens of the longest sequence: keys of",
		fmt.Sprintf("%d elements a token and 16 tokens more, scores of %d for each and 16 more, queries of %d, inverse of %d;", a.steps(), rowHeight, a.steps()*rowHeight, numbers),
		"weights may be scores, and values are not used.",
	}
	rounded := "Queries, keys, values and weights are rounded to bfloat16."
	if i.integers() {
		rounded = "Queries, keys, values and weights are int16 for up to 512 tokens a sequence."
		numbers = a.factorsBehind(valueUnits+1) / 4
	}
	if i.rounds() {
		memory = []string{
			rounded + " The rest is memory, for tokens of the longest sequence:",
			fmt.Sprintf("keys and values of %d elements a token and 16 tokens more, scores of %d for each and 16 more, weights of half as", a.steps(), rowHeight),
			fmt.Sprintf("many and 32 tokens more, queries of %d, inverse of %d.", a.steps()*rowHeight, numbers),
		}
	}
	return append([]string{
		fmt.Sprintf("%s computes, for each sequence of at least one row, starts[s]-starts[0], …, starts[s+1]-starts[0]-1,", name), "",
		"\tdst = softmax(q·kᵀ)·v // of base 2", "",
		fmt.Sprintf("for one head of %d columns. Rows of q, k and v are lda apart, rows of dst ldd.", a.columns()),
	}, memory...)
}

func (g *generator) beginRowAttend(a *rowAttend) {
	g.allocate(&a.attend)
	a.lda = g.keptStride("lda", "from row to row of q, k and v")
	a.ldd = g.keptStride("ldd", "from row to row of dst")
	g.Comment("where the first sequence starts")
	g.Load(g.Param("starts").Base(), a.sequence)
}

// beginRows sets what depends on where the sequence starts and how long it is.
func (g *generator) beginRows(a *rowAttend) {
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
	if g.isa.rounds() {
		g.rowBytes("a row of weights", a.left, x, 2*tileRows, 1, a.weightRow)
	} else {
		g.rowBytes("a row of weights", a.left, x, tileRows, 2, a.weightRow)
	}
	last := g.GP64()
	g.Comment("tokens")
	g.MOVQ(a.left, last)
	g.lastLanes(&a.attend, last)
}

// layKeys transposes 16 keys at a time: squares of their columns.
func (g *generator) layKeys(a *rowAttend) {
	rest := g.GP64()
	g.at(&a.attend, "k", "keys", a.from)
	g.Comment("their squares")
	g.Load(g.Param("keys").Base(), a.dst)
	g.Comment("keys left")
	g.MOVQ(a.tokens, rest)
	g.useFactors(a, keyFactors)
	g.Label("keys")
	for square := range a.steps() / squareSide {
		for i, x := range g.transposed(g.laySquare(a, rest, square)) {
			g.Comment(fmt.Sprintf("step %d of all", squareSide*square+i))
			g.VMOVUPS(x, element(a.dst, square*tileSize+i*tileBytes))
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

// laySquare reads the columns of 16 steps of 16 rows, of which the last is read again where
// fewer are left.
func (g *generator) laySquare(a *rowAttend, rest reg.GPVirtual, square int) []reg.VecVirtual {
	from, step, none := g.GP64(), g.GP64(), g.GP64()
	g.Comment("0")
	g.XORQ(none, none)
	g.Comment("row 0")
	g.MOVQ(a.from, from)
	g.Comment("from row to row")
	g.MOVQ(a.lda, step)
	rows := make([]reg.VecVirtual, squareSide)
	for i := range rows {
		rows[i] = g.stepsOf(a, fmt.Sprintf("row %d", i), from, square)
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
