package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Attention of one head over whole sequences, by AMX. Queries are tiles as they lie;
// keys and values are laid out once a sequence; scores, weights and results of 16
// queries pass through memory, for nothing else can read a tile.

// attend is an attention function under construction, for heads of 32·parts columns.
type attend struct {
	parts int

	row         reg.GPVirtual // from row to row of a tile
	lda         reg.GPVirtual // from 32 columns to the next
	sequence    reg.GPVirtual // where it starts, in starts
	query       reg.GPVirtual // the tile's first
	to          reg.GPVirtual // its results
	left        reg.GPVirtual // queries of the sequence left
	count       reg.GPVirtual // turns left of an inner loop
	from, dst   reg.GPVirtual // of an inner loop
	offset      operand.Mem   // of the sequence's first row
	tokens      operand.Mem   // of the sequence
	rows        operand.Mem   // of the tile of queries
	ldd         operand.Mem   // from row to row of the results
	scoreRow    operand.Mem   // from row to row of the scores
	weightRow   operand.Mem   // from row to row of the weights
	last        reg.OpmaskVirtual
	low, high   reg.VecVirtual // what interleaves rows of values
	zero, least reg.VecVirtual
}

func (g *generator) attention(parts int) {
	a := &attend{parts: parts}
	name := fmt.Sprintf("attend%d%s", 32*parts, g.isa.name)
	g.Function(name)
	g.SignatureExpr("func(dst, q, k, v, keys, values, scores, weights, out, inverse []float32, starts []int32, lda, ldd int)")
	g.Pragma("noescape")
	g.Doc(attendDoc(name, parts)...)
	g.beginAttend(a)
	g.Label("sequence")
	g.beginSequence(a)
	g.packKeys(a)
	g.packValues(a)
	g.beginQueries(a)
	g.scoreTile(a, "first")
	g.Label("queries")
	g.weighTile(a)
	g.Comment("16 queries have weights")
	g.SUBQ(operand.Imm(tileRows), a.left)
	g.Comment("none left?")
	g.JLE(operand.LabelRef("scored"))
	g.scoreTile(a, "next") // while the weights are on their way to memory
	g.Label("scored")
	g.sumTile(a)
	g.writeTile(a)
	g.Comment("queries left?")
	g.TESTQ(a.left, a.left)
	g.Comment("go on")
	g.JG(operand.LabelRef("queries"))
	g.nextSequence(a)
	g.Comment("leave no tile behind for the system to save")
	g.emitTile("TILERELEASE")
	g.end()
}

// allocate sets aside registers and memory for what every attention counts.
func (g *generator) allocate(a *attend) {
	a.sequence, a.query, a.to, a.left = g.GP64(), g.GP64(), g.GP64(), g.GP64()
	a.count, a.from, a.dst = g.GP64(), g.GP64(), g.GP64()
	a.offset, a.tokens, a.rows, a.scoreRow, a.weightRow = g.AllocLocal(8), g.AllocLocal(8), g.AllocLocal(8), g.AllocLocal(8), g.AllocLocal(8)
}

// nextSequence goes on to the next sequence, if there is one.
func (g *generator) nextSequence(a *attend) {
	g.Comment("next sequence")
	g.ADDQ(operand.Imm(4), a.sequence)
	g.Comment("one less")
	g.DECQ(g.argument(g.Param("starts").Len()))
	g.Comment("the last start is an end")
	g.CMPQ(g.argument(g.Param("starts").Len()), operand.Imm(1))
	g.Comment("another?")
	g.JG(operand.LabelRef("sequence"))
}

func attendDoc(name string, parts int) []string {
	return []string{
		fmt.Sprintf("%s computes, for each sequence of at least one row, starts[s]-starts[0], …, starts[s+1]-starts[0]-1,", name), "",
		"\tdst = softmax(q·kᵀ)·v // of base 2", "",
		fmt.Sprintf("for one head of %d columns. q, k and v are of pairs of bfloat16: element i of row r is [i/16*lda + r*16 + i%%16];", 32*parts),
		"up to 15 rows behind the last one are read and ignored. Rows of dst are ldd apart. The weights of values are",
		"rounded to bfloat16. The rest is memory, for tokens of the longest sequence: keys and values of",
		fmt.Sprintf("%d elements a token and 32 tokens more, scores of 16 for each and 16 more, weights of 8 and 32 more, out of %d,", 16*parts, 16*32*parts),
		"inverse of 16 for each row of a tile and 16 more.",
	}
}

func (g *generator) beginAttend(a *attend) {
	a.row = g.GP64()
	g.allocate(a)
	g.configure(a.count)
	g.Comment("from row to row of a tile")
	g.MOVQ(operand.U32(tileBytes), a.row)
	a.lda = g.stride("lda", "from 32 columns to the next")
	a.ldd = g.keptStride("ldd", "from row to row of dst")
	g.Comment("where the first sequence starts")
	g.Load(g.Param("starts").Base(), a.sequence)
	a.low, a.high, a.zero, a.least = g.ZMM(), g.ZMM(), g.ZMM(), g.ZMM()
	g.Comment("words of a row and of the next in turns, columns 0 to 15")
	g.VMOVDQU64(g.interleaved("low", 0), a.low)
	g.Comment("and 16 to 31")
	g.VMOVDQU64(g.interleaved("high", 16), a.high)
	g.Comment("0")
	g.VPXORQ(a.zero, a.zero, a.zero)
	g.Comment("-Inf: what no score is below")
	g.VMOVUPS(g.constant("lowest", lowestFloat), a.least)
}

// interleaved is an index of the words of two registers: from, 32+from, from+1, …
func (g *generator) interleaved(name string, from int) operand.Mem {
	return g.wordIndex(name, func(lane int) (first, second int) { return from + lane, 32 + from + lane })
}

// beginSequence sets what depends on the sequence's length.
func (g *generator) beginSequence(a *attend) {
	first, tokens, x := g.GP64(), g.GP64(), g.GP64()
	g.sequenceRows(a, first, tokens, x)
	g.Comment("a row has 64 bytes")
	g.SHLQ(operand.Imm(6), first)
	g.Comment("from q's, k's and v's first")
	g.MOVQ(first, a.offset)
	g.rowBytes("a row of scores", tokens, x, tileRows, 2, a.scoreRow)
	g.rowBytes("a row of weights", tokens, x, 2*tileRows, 1, a.weightRow)
	g.lastLanes(a, tokens)
}

// sequenceRows sets first to the sequence's first row and tokens to how many it has.
func (g *generator) sequenceRows(a *attend, first, tokens, x reg.GPVirtual) {
	g.Comment("its first row")
	g.MOVLQSX(operand.Mem{Base: a.sequence}, first)
	g.Comment("behind its last")
	g.MOVLQSX(operand.Mem{Base: a.sequence, Disp: 4}, tokens)
	g.Comment("tokens")
	g.SUBQ(first, tokens)
	g.Comment("are needed again")
	g.MOVQ(tokens, a.tokens)
	g.Comment("the first sequence")
	g.Load(g.Param("starts").Base(), x)
	g.Comment("starts at")
	g.MOVLQSX(operand.Mem{Base: x}, x)
	g.Comment("row 0")
	g.SUBQ(x, first)
}

// rowBytes keeps what as many tokens take, rounded up to a number of them, each 2^shift bytes.
func (g *generator) rowBytes(what string, tokens, x reg.GPVirtual, to, shift uint64, kept operand.Mem) {
	g.Comment("tokens,")
	g.LEAQ(operand.Mem{Base: tokens, Disp: int(to - 1)}, x)
	g.Comment(fmt.Sprintf("rounded up to %d", to))
	g.ANDQ(operand.I32(-int32(to)), x)
	g.Comment("in bytes")
	g.SHLQ(operand.Imm(shift), x)
	g.Comment(what)
	g.MOVQ(x, kept)
}

// lastLanes selects the lanes of the last 16 keys that are there.
func (g *generator) lastLanes(a *attend, tokens reg.GPVirtual) {
	ones := g.GP64()
	a.last = g.K()
	g.Comment("the last token's")
	g.DECQ(tokens)
	g.Comment("lane")
	g.ANDQ(operand.Imm(15), tokens)
	g.Comment("a 1")
	g.MOVQ(operand.U32(2), ones)
	g.Comment("above it")
	g.SHLXQ(tokens, ones, ones)
	g.Comment("lanes up to it")
	g.DECQ(ones)
	g.Comment("as a mask")
	g.KMOVW(ones.As32(), a.last)
}

// at sets p to where the sequence begins in a parameter.
func (g *generator) at(a *attend, param, what string, p reg.GPVirtual) {
	g.Comment(what)
	g.Load(g.Param(param).Base(), p)
	g.Comment("of the sequence")
	g.ADDQ(a.offset, p)
}

// turns sets count to a row's bytes by the bytes of a turn, 2^shift.
func (g *generator) turns(a *attend, row operand.Mem, shift uint64) {
	g.Comment("bytes of a row")
	g.MOVQ(row, a.count)
	g.Comment("turns")
	g.SHRQ(operand.Imm(shift), a.count)
}

// again repeats a loop count times in all.
func (g *generator) again(a *attend, label string) {
	g.Comment("one turn done")
	g.DECQ(a.count)
	g.Comment("more?")
	g.JNZ(operand.LabelRef(label))
}
