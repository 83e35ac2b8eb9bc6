package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
)

// peak emits a loop of nothing but multiply-adds on registers.
func (g *generator) peak() {
	count := 12
	if g.isa.wide() {
		count = 24
	}
	g.function(peakOf(count))
	sums, factors := g.zeros(count), g.zeros(2)
	turns := g.GP64()
	g.Comment("turns left")
	g.Load(g.Param("turns"), turns)
	g.Label("loop")
	for i, sum := range sums {
		g.Comment(fmt.Sprintf("sum %d", i))
		g.VFMADD231PS(factors[0], factors[1], sum)
	}
	g.Comment("one turn done")
	g.SUBQ(operand.U32(1), turns)
	g.Comment("again")
	g.JG(operand.LabelRef("loop"))
	g.end()
}
