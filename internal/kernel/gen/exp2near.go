package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// 2^t for weights that are then rounded, in two ways. Processors with AMX are Intel's, and
// nearly all that have VNNI and no quick bfloat16: there VREDUCEPS and VSCALEFPS are the
// quicker one (1.1 to 1.3 times in attention by AMX). On Zen 4 those two take two turns of the pipes that also add and compare;
// multiply-adds have pipes of their own there, which nothing else wants.

// nearLeast is the least that 2^t is computed for: no result is smaller than 2^-126, where
// numbers begin that slow a processor down.
var nearLeast = term{"nearleastexponent", -125}

// integerLeast is rounded to 0 where 1 is the least that is not.
var integerLeast = term{"integerleastexponent", -20}

// nearExp2Terms are those of 2^f in powers of f, highest first, for 0 <= f < 1: the least
// largest relative error, found by Lawson's iteration. It is below 8e-5, a fraction of
// what rounding to bfloat16 adds.
var nearExp2Terms = []term{
	{"near2f3", 0.07802445852},
	{"near2f2", 0.2260672467},
	{"near2f1", 0.6958335092},
	{"near2f0", 0.9999252200},
}

// middleExp2Terms are nearExp2Terms, half a place on: for |f| <= 1/2.
var middleExp2Terms = []term{
	{"middle2f3", 0.05517162372},
	{"middle2f2", 0.2426111187},
	{"middle2f1", 0.6932609939},
	{"middle2f0", 0.999928074},
}

// wholeTerm is what whole numbers are found by: a number whose last place is 1.
var wholeTerm = term{"whole", 0x1.8p23}

// weightTerms are the constants that weights are made by.
func (g *generator) weightTerms() []term {
	switch {
	case !g.isa.rounds():
		return append([]term{{"least", leastExponent}}, exp2Terms...)
	case g.isa.integers():
		return append([]term{integerLeast}, nearExp2Terms...)
	case g.isa.tiles:
		return append([]term{nearLeast}, nearExp2Terms...)
	}
	return append([]term{nearLeast, wholeTerm, {"one", 1}}, middleExp2Terms...)
}

// nearPolynomial returns a polynomial of f.
func (g *generator) nearPolynomial(terms []term, f reg.VecVirtual, h held) reg.VecVirtual {
	e := g.ZMM()
	g.Comment("2^f by its polynomial")
	g.VMOVAPS(h.constant(terms[0]), e)
	for _, term := range terms[1:] {
		g.Comment("·f + " + term.name)
		g.VFMADD213PS(h.constant(term), f, e)
	}
	return e
}

// scaledExp2 returns 2^t.
func (g *generator) scaledExp2(t reg.VecVirtual, h held) reg.VecVirtual {
	const floor = 9 // the distance from the next lower whole number
	f := g.ZMM()
	g.Comment("f, what t is above a whole number")
	g.VREDUCEPS(operand.Imm(floor), t, f)
	e := g.nearPolynomial(nearExp2Terms, f, h)
	g.Comment("times 2 to the power of that number")
	g.VSCALEFPS(t, e, e)
	return e
}

// shiftedExp2 returns 2^t. It overwrites t.
func (g *generator) shiftedExp2(t reg.VecVirtual, h held) reg.VecVirtual {
	whole, n := g.ZMM(), g.ZMM()
	magic, one := h.constant(wholeTerm), h["one"]
	g.Comment("t")
	g.VMOVAPS(t, whole)
	g.Comment("rounded to a whole number, in the last bits")
	g.VFMADD213PS(magic, one, whole)
	g.Comment("that")
	g.VMOVAPS(whole, n)
	g.Comment("as a number")
	g.VFMSUB213PS(magic, one, n)
	g.Comment("f: t without it, at most 1/2 away from 0")
	g.VFNMADD231PS(n, one, t)
	e := g.nearPolynomial(middleExp2Terms, t, h)
	g.Comment("the whole number to the exponent's place")
	g.VPSLLD(operand.Imm(23), whole, whole)
	g.Comment("times 2 to its power")
	g.VPADDD(whole, e, e)
	return e
}

// held are constants in registers.
type held map[string]operand.Op

func (h held) constant(t term) operand.Op { return h[t.name] }

func (g *generator) hold(terms []term) held {
	h := held{}
	for _, t := range terms {
		x := g.register()
		g.Comment(t.name)
		g.VMOVUPS(g.constant(t.name, t.value), x)
		h[t.name] = x
	}
	return h
}
