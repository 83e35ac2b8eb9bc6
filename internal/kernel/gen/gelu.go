package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tailReach is where gelu begins to take Φ(-|x|) for 0.
const tailReach = 5.4

// tailTerms are those of P in powers of 2t/tailReach - 1, highest first, such that
// t·P is t·Φ(-t) for 0 <= t <= tailReach: the least largest error, found by Lawson's
// iteration. In float32 it is below 2e-7.
var tailTerms = []term{
	{"tail15", -0.004876697902},
	{"tail14", 0.005705116317},
	{"tail13", 0.02458206192},
	{"tail12", -0.04171392322},
	{"tail11", -0.03436530009},
	{"tail10", 0.1196555048},
	{"tail9", -0.04914947599},
	{"tail8", -0.1349386424},
	{"tail7", 0.2119380236},
	{"tail6", -0.07203571498},
	{"tail5", -0.154988125},
	{"tail4", 0.2673019767},
	{"tail3", -0.2150010318},
	{"tail2", 0.1025563106},
	{"tail1", -0.02813705616},
	{"tail0", 0.003466985887},
}

func (g *generator) gelu() {
	g.function(geluOf)
	g.rows(g.exactGELUOf())
}

// exactGELUOf loads exactGELU's constants.
func (g *generator) exactGELUOf() func(x reg.VecVirtual) reg.VecVirtual {
	magnitude, reach, zero := g.register(), g.register(), g.register()
	g.Comment("all bits but the sign")
	g.VMOVUPS(g.constant("magnitude", math.Float32frombits(0x7fffffff)), magnitude)
	g.Comment("5.4")
	g.VMOVUPS(g.constant("tailreach", tailReach), reach)
	g.Comment("0")
	g.VXORPS(zero, zero, zero)
	return func(x reg.VecVirtual) reg.VecVirtual { return g.exactGELU(x, magnitude, reach, zero) }
}

// exactGELU returns max(x, 0) - t·P(t).
func (g *generator) exactGELU(x, magnitude, reach, zero reg.VecVirtual) reg.VecVirtual {
	t, place := g.register(), g.register()
	g.Comment("|x|")
	g.VANDPS(magnitude, x, t)
	g.Comment("t, not above 5.4")
	g.VMINPS(reach, t, t)
	g.Comment("t's place")
	g.VMOVUPS(g.constant("tailscale", 2/tailReach), place)
	g.Comment("between -1 and 1: 2t/5.4 - 1")
	g.VFMADD213PS(g.constant("minusone", -1), t, place)
	p := g.polynomial(tailTerms, place)
	g.Comment("max(x, 0)")
	g.VMAXPS(x, zero, x)
	g.Comment("- t·P(t)")
	g.VFNMADD231PS(t, p, x)
	return x
}

// nearReach is where geluNear begins to take Φ for 0 or 1.
const nearReach = 4.25

// nearTerms are those of P in powers of x², highest first, such that x·P(x²) is
// Φ(x) - 1/2 for |x| <= nearReach, and 1/2 at its end: the least largest error of
// x·Φ(x), found by Lawson's iteration. In float32 it is below 6e-5, less than what
// rounding the result to bfloat16, 12 or 8 bits adds.
var nearTerms = []term{
	{"near8", 6.764257198e-11},
	{"near7", -6.335008371e-09},
	{"near6", 2.609081576e-07},
	{"near5", -6.298549981e-06},
	{"near4", 1.008925043e-04},
	{"near3", -1.157541296e-03},
	{"near2", 9.996328331e-03},
	{"near1", -6.667295990e-02},
	{"near0", 3.991142327e-01},
}

// nearBounds are the other constants of geluNear.
func nearBounds() []term {
	return []term{{"nearleast", -nearReach}, {"nearmost", nearReach}, {"half", 0.5}}
}

func (g *generator) geluNear() {
	if g.isa.wide() {
		g.function(geluPiecesOf)
	} else {
		g.function(geluNearOf)
	}
	g.rows(g.nearGELUOf())
}

// nearGELUOf is what computes GELU where results are then rounded.
func (g *generator) nearGELUOf() func(x reg.VecVirtual) reg.VecVirtual {
	if g.isa.wide() {
		return g.pieceGELUOf(false)
	}
	return func(x reg.VecVirtual) reg.VecVirtual { return g.nearGELU(x, g.inMemory) }
}

// nearGELU returns GELU(x); constant says where a constant is.
func (g *generator) nearGELU(x reg.VecVirtual, constant func(t term) operand.Op) reg.VecVirtual {
	t, square, p := g.register(), g.register(), g.register()
	bounds := nearBounds()
	g.Comment("not below -4.25")
	g.VMAXPS(constant(bounds[0]), x, t)
	g.Comment("nor above 4.25")
	g.VMINPS(constant(bounds[1]), t, t)
	g.Comment("t²")
	g.VMULPS(t, t, square)
	g.Comment("the polynomial in t²")
	g.VMOVUPS(constant(nearTerms[0]), p)
	for _, term := range nearTerms[1:] {
		g.Comment("·t² + " + term.name)
		g.VFMADD213PS(constant(term), square, p)
	}
	g.Comment("·t + 1/2: Φ(x)")
	g.VFMADD213PS(constant(bounds[2]), t, p)
	g.Comment("·x")
	g.VMULPS(x, p, p)
	return p
}
