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
		g.Comment(fmt.Sprintf("16 keys, columns from %d", 32*part)) // they pass by; scores stay near
		g.emitTile("TILELOADDT1", operand.Mem{Base: a.from, Index: a.row, Scale: 1, Disp: part * tileSize}, tmm(keys+part))
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

// weighTile makes weights of the tile's scores.
func (g *generator) weighTile(a *attend) {
	rows := g.GP64()
	g.Comment("a tile has 16 rows")
	g.MOVQ(operand.U32(tileRows), rows)
	g.Comment("are there fewer queries?")
	g.CMPQ(a.left, rows)
	g.Comment("then those")
	g.CMOVQLT(a.left, rows)
	g.Comment("are needed again")
	g.MOVQ(rows, a.rows)
	largest := g.largestOfTile(a)
	g.weighRows(a, largest, g.pointer("inverse", "what rows are told by"))
}

// largestOfTile returns the largest scores of each row, 16 of each: all rows at once, so
// that none waits for itself. What it finds for rows that are not there nobody reads.
func (g *generator) largestOfTile(a *attend) []reg.VecVirtual {
	row := g.GP64()
	g.Comment("from row to row of the scores")
	g.MOVQ(a.scoreRow, row)
	at := g.rowPointers(g.pointer("scores", "row 0"), row, tileRows)
	largest := g.registers(tileRows)
	for r, x := range largest {
		g.Comment(fmt.Sprintf("row %d: -Inf, what no score is below", r))
		g.VMOVAPS(a.least, x)
	}
	g.turns(a, a.scoreRow, 6)
	g.Comment("the last 16 apart")
	g.DECQ(a.count)
	g.Comment("are those all?")
	g.JZ(operand.LabelRef("largest"))
	g.Label("larger")
	for r, x := range largest {
		g.Comment(fmt.Sprintf("row %d: the larger", r))
		g.VMAXPS(at.row(r), x, x)
	}
	at.advance(g, "scores", tileBytes)
	g.again(a, "larger")
	g.Label("largest")
	for r, x := range largest {
		g.Comment(fmt.Sprintf("row %d: the larger, where there are keys", r))
		g.VMAXPS(at.row(r), x, a.last, x)
	}
	return largest
}

// rowPointers is where rows are: a pointer to each third one.
type rowPointers struct {
	thirds []reg.GPVirtual
	stride reg.GPVirtual
}

// rowPointers sets pointers to the rows from first on.
func (g *generator) rowPointers(first, stride reg.GPVirtual, rows int) *rowPointers {
	p := &rowPointers{thirds: []reg.GPVirtual{first}, stride: stride}
	for r := 3; r < rows; r += 3 {
		next := g.GP64()
		g.Comment(fmt.Sprintf("row %d: two rows on,", r-1))
		g.LEAQ(operand.Mem{Base: p.thirds[len(p.thirds)-1], Index: stride, Scale: 2}, next)
		g.Comment(fmt.Sprintf("and one more to row %d", r))
		g.ADDQ(stride, next)
		p.thirds = append(p.thirds, next)
	}
	return p
}

func (p *rowPointers) row(r int) operand.Mem {
	m := operand.Mem{Base: p.thirds[r/3]}
	if r%3 > 0 {
		m.Index, m.Scale = p.stride, uint8(r%3)
	}
	return m
}

// advance goes on by so many bytes in each row.
func (p *rowPointers) advance(g *generator, what string, by uint64) {
	for i, x := range p.thirds {
		g.Comment(fmt.Sprintf("next %s, rows from %d", what, 3*i))
		g.ADDQ(operand.Imm(by), x)
	}
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
		g.Comment(fmt.Sprintf("their values, columns from %d", 16*i)) // they pass by; weights stay near
		g.emitTile("TILELOADDT1", operand.Mem{Base: a.dst, Index: a.row, Scale: 1, Disp: i * tileSize}, tmm(values+i%2))
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
	inverse := g.pointer("inverse", "inverse sums of weights")
	g.Comment("rows")
	g.MOVQ(a.rows, a.count)
	g.Label("rows")
	scale := g.ZMM()
	g.Comment("the row's")
	g.VBROADCASTSS(element(inverse, rowsBehind(tileRows)), scale)
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
