package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (g *generator) exp2Sum() {
	g.function(exp2SumOf)
	shift := g.spread("shift")
	sums := g.zeros(1)
	s := g.sweep("x")
	s.run(1, func(_, at int) {
		x := s.load("x", element(s.cursors[0], at), shift)
		g.Comment("x - shift")
		g.VSUBPS(shift, x, x)
		e := g.exp2(x, g.inMemory)
		s.store(e, element(s.cursors[0], at))
		s.clearTail(e)
		g.Comment("sum += 2^(x-shift)")
		g.VADDPS(e, sums[0], sums[0])
	})
	g.fold("sum", sums, g.VADDPS)
	g.end()
}

// term is a constant of a computation.
type term struct {
	name  string
	value float32
}

// polynomial returns the sum of terms times powers of x, highest first, at least three
// of them. The even and the odd powers are summed apart, which halves the chain of
// multiply-adds that wait for each other: a row of them fills the processor's queues.
func (g *generator) polynomial(terms []term, x reg.VecVirtual) reg.VecVirtual {
	square := g.register()
	g.Comment("square")
	g.VMULPS(x, x, square)
	sums := g.registers(2)
	for i, sum := range sums {
		g.Comment(terms[i].name)
		g.VMOVUPS(g.constant(terms[i].name, terms[i].value), sum)
	}
	for i, t := range terms[2:] {
		g.Comment("·square + " + t.name)
		g.VFMADD213PS(g.constant(t.name, t.value), square, sums[i%2])
	}
	last := (len(terms) - 1) % 2 // of x^0
	g.Comment("even powers + odd powers, which lack an x")
	g.VFMADD231PS(x, sums[1-last], sums[last])
	return sums[last]
}

// exp2Terms are those of 2^f - 1 in powers of f, highest first, for |f| <= 1/2, by
// the polynomial of the Cephes library's exp2f: relative error below 1e-7.
var exp2Terms = []term{
	{"exp2f6", 1.535336188319500e-4},
	{"exp2f5", 1.339887440266574e-3},
	{"exp2f4", 9.618437357674640e-3},
	{"exp2f3", 5.550332471162809e-2},
	{"exp2f2", 2.402264791363012e-1},
	{"exp2f1", 6.931472028550421e-1},
	{"one", 1},
}

// leastExponent is the least that exp2 takes. What is as small beside a sum that 1 is part
// of is nothing to float32; but results near 2^-126, times values, are among the numbers
// below it, which some processors take a hundred times as long to multiply.
const leastExponent = -100

// inMemory is where a constant is, unless it is held in a register.
func (g *generator) inMemory(t term) operand.Op { return g.constant(t.name, t.value) }

// exp2 returns 2^t for t <= 126; t below leastExponent counts as that. It overwrites t.
// constant says where a constant is.
func (g *generator) exp2(t reg.VecVirtual, constant func(t term) operand.Op) reg.VecVirtual {
	whole, e := g.register(), g.register()
	g.Comment(fmt.Sprintf("no result smaller than 2^%d", leastExponent))
	g.VMAXPS(constant(term{"least", leastExponent}), t, t)
	g.Comment("n, the nearest whole number")
	if g.isa.wide() {
		g.VRNDSCALEPS(operand.Imm(8), t, whole)
	} else {
		g.VROUNDPS(operand.Imm(8), t, whole)
	}
	g.Comment("f = t - n, at most 1/2 away from 0")
	g.VSUBPS(whole, t, t)
	g.Comment("2^f by its polynomial")
	g.VMOVUPS(constant(exp2Terms[0]), e)
	for _, term := range exp2Terms[1:] {
		g.Comment("·f + " + term.name)
		g.VFMADD213PS(constant(term), t, e)
	}
	g.timesPowerOf2(e, whole)
	return e
}

// timesPowerOf2 multiplies e by 2^whole.
func (g *generator) timesPowerOf2(e, whole reg.VecVirtual) {
	if g.isa.wide() {
		g.Comment("·2^n")
		g.VSCALEFPS(whole, e, e)
		return
	}
	g.Comment("n as an integer")
	g.VCVTPS2DQ(whole, whole)
	g.Comment("in the exponent's place")
	g.VPSLLD(operand.Imm(23), whole, whole)
	g.Comment("·2^n")
	g.VPADDD(whole, e, e)
}
