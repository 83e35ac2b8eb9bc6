package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rowsAhead emits a loop over the rows of x, of which use needs what find finds: a number
// that waits for all of the row, as a largest value does. It is looked for before the row
// in front is used, so that the two are done at once. find and use are emitted once; pass
// makes what was found last what is used next.
func (g *generator) rowsAhead(find func(b *blockOfRows), use func(row reg.GPVirtual), pass func()) {
	b := &blockOfRows{generator: g, row: g.pointer("x", "the first row"), stride: g.stride("stride", "from row to row"), left: g.GP64()}
	row := g.GP64()
	g.Comment("no row to use yet")
	g.XORQ(row, row)
	g.Comment("rows to look at")
	g.Load(g.Param("rows"), b.left)
	g.Label("row")
	g.Comment("is there none?")
	g.TESTQ(b.left, b.left)
	g.Comment("then use the last one")
	g.JZ(operand.LabelRef("use"))
	find(b)
	g.Comment("a row to use?")
	g.TESTQ(row, row)
	g.Comment("not the first time")
	g.JZ(operand.LabelRef("pass"))
	g.Label("use")
	use(row)
	g.Label("pass")
	pass()
	g.Comment("the row to use")
	g.MOVQ(b.row, row)
	g.Comment("behind it the next")
	g.ADDQ(b.stride, b.row)
	g.Comment("one row looked at")
	g.DECQ(b.left)
	g.Comment("again, until the last is used")
	g.JGE(operand.LabelRef("row"))
	g.end()
}
