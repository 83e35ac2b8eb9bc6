package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// blockOfRows is a loop over the rows of a block, each swept once or more.
type blockOfRows struct {
	*generator
	row     reg.GPVirtual // the row's first element
	stride  reg.GPVirtual // bytes from row to row
	left    reg.GPVirtual // rows left
	cursors []reg.GPVirtual
}

// eachRow emits body once, inside a loop over the rows of x. numbers are parameters
// with one element a row; the cursors point to the row's.
func (g *generator) eachRow(body func(b *blockOfRows), numbers ...string) {
	b := &blockOfRows{generator: g, row: g.pointer("x", "the row's first element"), stride: g.stride("stride", "from row to row"), left: g.GP64()}
	for _, name := range numbers {
		b.cursors = append(b.cursors, g.pointer(name, name+" of the row"))
	}
	g.Comment("rows left")
	g.Load(g.Param("rows"), b.left)
	g.Label("row")
	g.Comment("no row left?")
	g.TESTQ(b.left, b.left)
	g.Comment("done")
	g.JZ(operand.LabelRef("end"))
	body(b)
	g.Comment("next row")
	g.ADDQ(b.stride, b.row)
	for _, c := range b.cursors {
		g.Comment("and its number")
		g.ADDQ(operand.Imm(4), c)
	}
	g.Comment("one row done")
	g.DECQ(b.left)
	g.Comment("again")
	g.JMP(operand.LabelRef("row"))
	g.Label("end")
	g.end()
}

// sweep goes over the row's elements.
func (b *blockOfRows) sweep(label string) *sweep {
	s := &sweep{generator: b.generator, n: b.GP64(), cursors: []reg.GPVirtual{b.GP64()}, label: label}
	b.Comment("elements of the row")
	b.Load(b.Param("cols"), s.n)
	b.Comment("the first of them")
	b.MOVQ(b.row, s.cursors[0])
	return s
}

// softmax emits what turns rows of scores into weights.
func (g *generator) softmax() {
	g.function(softmaxOf)
	lowest := g.register()
	g.Comment("-Inf: what no element is below")
	g.VMOVUPS(g.constant("lowest", lowestFloat), lowest)
	g.eachRow(func(b *blockOfRows) {
		largest := g.register()
		g.Comment("largest so far")
		g.VMOVAPS(lowest, largest)
		find := b.sweep("find")
		find.run(1, func(_, at int) {
			x := find.load("x", element(find.cursors[0], at), lowest)
			g.Comment("the larger")
			g.VMAXPS(x, largest, largest)
		})
		g.combine([]reg.VecVirtual{largest}, g.VMAXPS)
		g.Comment("the row's largest")
		g.VMOVSS(largest.AsX(), element(b.cursors[0], 0))
		g.Comment("in every lane")
		g.VBROADCASTSS(element(b.cursors[0], 0), largest)
		sum := g.zeros(1)
		weigh := b.sweep("weigh")
		weigh.run(1, func(_, at int) {
			x := weigh.load("x", element(weigh.cursors[0], at), largest)
			g.Comment("x - largest")
			g.VSUBPS(largest, x, x)
			e := g.exp2(x, g.inMemory)
			weigh.store(e, element(weigh.cursors[0], at))
			weigh.clearTail(e)
			g.Comment("sum += 2^(x-largest)")
			g.VADDPS(e, sum[0], sum[0])
		})
		g.combine(sum, g.VADDPS)
		g.Comment("the row's total")
		g.VMOVSS(sum[0].AsX(), element(b.cursors[1], 0))
	}, "largest", "total")
}

// divide emits the division of rows by a number each.
func (g *generator) divide() {
	g.function(divideOf)
	one := g.register()
	g.Comment("1")
	g.VMOVUPS(g.constant("one", 1), one)
	g.eachRow(func(b *blockOfRows) {
		inverse := g.register()
		g.Comment("by in every lane")
		g.VBROADCASTSS(element(b.cursors[0], 0), inverse)
		g.Comment("1/by")
		g.VDIVPS(inverse, one, inverse)
		s := b.sweep("divide")
		s.run(1, func(_, at int) {
			x := s.load("x", element(s.cursors[0], at), nil)
			g.Comment("·1/by")
			g.VMULPS(inverse, x, x)
			s.store(x, element(s.cursors[0], at))
		})
	}, "by")
}
