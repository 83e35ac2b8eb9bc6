package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The sums of a block of a product by AMX.

// sumBlock computes the sums of one block, and between its products finishes those of
// the block before.
func (g *generator) sumBlock(t *tileProduct) {
	for i := range across * t.down {
		g.Comment(fmt.Sprintf("sums %d: 0", i))
		g.emitTile("TILEZERO", tmm(i))
	}
	g.Comment("the block's first elements of a")
	g.MOVQ(t.block, t.a)
	g.Comment("b's first rows")
	g.Load(g.Param("b").Base(), t.b)
	g.Comment("steps of the sum")
	g.Load(g.Param("k"), t.steps)
	g.Comment("16 at a time")
	g.SHRQ(operand.Imm(4), t.steps)
	g.Label("step")
	g.tileStep(t)
	g.askAhead(t)
	g.finishSome(t)
	g.Comment("16 steps done")
	g.DECQ(t.steps)
	g.Comment("more?")
	g.JNZ(operand.LabelRef("step"))
}

// tileStep adds 16 steps to the sums.
func (g *generator) tileStep(t *tileProduct) {
	load := func(what string, base reg.GPVirtual, n, tile int) {
		g.Comment(what)
		g.emitTile(t.loadOf(base), operand.Mem{Base: base, Index: t.row, Scale: 1, Disp: n * tileSize}, tmm(tile))
	}
	for d := range t.down {
		load(fmt.Sprintf("a, rows from %d", d*tileRows), t.a, d, t.tileA(d))
		for v := range across {
			if d == 0 {
				load(fmt.Sprintf("b, columns from %d", 16*v), t.b, v, firstB+v)
			}
			g.Comment(fmt.Sprintf("sums %d += a·b", t.sum(d, v)))
			g.emitTile(g.isa.tileMultiply(), tmm(firstB+v), tmm(t.tileA(d)), tmm(t.sum(d, v)))
		}
	}
	g.Comment("a's next 16 elements")
	g.ADDQ(t.lda, t.a)
	g.Comment("b's next 16 rows")
	g.ADDQ(t.ldb, t.b)
}

// loadOf is how a's or b's tiles are loaded. The one that passes by is meant to leave
// the nearest cache alone: of more rows than one tile's that is a, since a panel of b
// stays for all of them; of fewer it is b.
func (t *tileProduct) loadOf(base reg.GPVirtual) string {
	passing := t.a
	if t.down == 1 {
		passing = t.b
	}
	if base == passing {
		return "TILELOADDT1"
	}
	return "TILELOADD"
}

func (i *isa) tileMultiply() string {
	if i.element == "int8" {
		return "TDPBUSD"
	}
	return "TDPBF16PS"
}

// askAhead asks for a few of the lines that the next product will read.
func (g *generator) askAhead(t *tileProduct) {
	g.Comment("lines to ask for")
	g.Load(g.Param("ahead"), t.count)
	g.Label("ask")
	g.Comment("into the second-level cache")
	g.PREFETCHT1(operand.Mem{Base: t.ahead})
	g.Comment("next line")
	g.ADDQ(operand.Imm(64), t.ahead)
	g.Comment("one less")
	g.DECQ(t.count)
	g.Comment("more?")
	g.JNZ(operand.LabelRef("ask"))
}
