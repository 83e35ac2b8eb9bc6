package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vectors emits kernel's vectors for one level.
func (g *generator) vectors() {
	g.dot()
	g.add()
	g.scale()
	g.multiply()
	g.max()
	g.sum()
	g.deviation()
	g.normalize()
	g.exp2Sum()
	g.gelu()
	g.geluNear()
	g.softmax()
	g.divide()
	if g.isa.wide() {
		g.layerNorm()
	}
}

// function begins the level's form of a function.
func (g *generator) function(d definition) {
	name := d.name + g.isa.name
	g.Function(name)
	g.Attributes(noSplit)
	g.SignatureExpr(d.signature)
	g.Pragma("noescape")
	lines := []string{name + " computes:", ""}
	for _, line := range d.loop {
		lines = append(lines, "\t"+line)
	}
	g.Doc(lines...)
}

func (g *generator) end() {
	g.Comment("leave the upper halves clean for SSE code")
	g.VZEROUPPER()
	g.RET()
}

// sweep goes over the elements of the slice named first, and of the others.
func (g *generator) sweep(params ...string) *sweep {
	s := &sweep{generator: g, n: g.GP64()}
	g.Comment("elements left")
	g.Load(g.Param(params[0]).Len(), s.n)
	for _, p := range params {
		s.cursors = append(s.cursors, g.pointer(p, p+"'s next element"))
	}
	return s
}

var lowestFloat = float32(math.Inf(-1))

const turns = 4 // registers of partial sums in a reduction, to hide an addition's latency

func (g *generator) dot() {
	g.function(dotOf)
	sums := g.zeros(turns)
	s := g.sweep("a", "b")
	s.run(turns, func(turn, at int) {
		x := s.load("a", element(s.cursors[0], at), nil)
		y := s.load("b", element(s.cursors[1], at), nil)
		g.Comment("sum += a·b")
		g.VFMADD231PS(x, y, sums[turn])
	})
	g.fold("sum", sums, g.VADDPS)
	g.end()
}

func (g *generator) add() {
	g.function(addOf)
	s := g.sweep("x", "dst")
	s.run(1, func(_, at int) {
		x := s.load("x", element(s.cursors[0], at), nil)
		y := s.load("dst", element(s.cursors[1], at), nil)
		g.Comment("dst + x")
		g.VADDPS(x, y, y)
		s.store(y, element(s.cursors[1], at))
	})
	g.end()
}

func (g *generator) scale() {
	g.function(scaleOf)
	factor := g.spread("factor")
	s := g.sweep("x")
	s.run(1, func(_, at int) {
		x := s.load("x", element(s.cursors[0], at), nil)
		g.Comment("x·factor")
		g.VMULPS(factor, x, x)
		s.store(x, element(s.cursors[0], at))
	})
	g.end()
}

func (g *generator) multiply() {
	g.function(multiplyOf)
	s := g.sweep("x", "y", "dst")
	s.run(1, func(_, at int) {
		x := s.load("x", element(s.cursors[0], at), nil)
		y := s.load("y", element(s.cursors[1], at), nil)
		g.Comment("x·y")
		g.VMULPS(x, y, y)
		s.store(y, element(s.cursors[2], at))
	})
	g.end()
}

func (g *generator) max() {
	g.function(maxOf)
	lowest := g.register()
	g.Comment("-Inf: what no element is below")
	g.VMOVUPS(g.constant("lowest", lowestFloat), lowest)
	largest := g.registers(turns)
	for _, x := range largest {
		g.Comment("largest so far")
		g.VMOVAPS(lowest, x)
	}
	s := g.sweep("x")
	s.run(turns, func(turn, at int) {
		x := s.load("x", element(s.cursors[0], at), lowest)
		g.Comment("the larger")
		g.VMAXPS(x, largest[turn], largest[turn])
	})
	g.fold("largest", largest, g.VMAXPS)
	g.end()
}

func (g *generator) sum() {
	g.function(sumOf)
	sums := g.zeros(turns)
	s := g.sweep("x")
	s.run(turns, func(turn, at int) {
		x := s.load("x", element(s.cursors[0], at), nil)
		g.Comment("sum += x")
		g.VADDPS(x, sums[turn], sums[turn])
	})
	g.fold("sum", sums, g.VADDPS)
	g.end()
}

func (g *generator) deviation() {
	g.function(deviationOf)
	mean := g.spread("mean")
	sums := g.zeros(turns)
	s := g.sweep("x")
	s.run(turns, func(turn, at int) {
		x := s.load("x", element(s.cursors[0], at), mean)
		g.Comment("x - mean")
		g.VSUBPS(mean, x, x)
		g.Comment("sum += its square")
		g.VFMADD231PS(x, x, sums[turn])
	})
	g.fold("sum", sums, g.VADDPS)
	g.end()
}

func (g *generator) normalize() {
	g.function(normalizeOf)
	mean, inverse := g.spread("mean"), g.spread("inverse")
	g.sweep("x", "dst", "gamma", "beta").normalize(1, mean, inverse)
	g.end()
}

// normalize emits normalize's loop, over x, dst, gamma and beta.
func (s *sweep) normalize(turns int, mean, inverse reg.VecVirtual) {
	s.run(turns, func(_, at int) {
		x := s.load("x", element(s.cursors[0], at), nil)
		s.Comment("x - mean")
		s.VSUBPS(mean, x, x)
		s.Comment("·inverse")
		s.VMULPS(inverse, x, x)
		gamma := s.load("gamma", element(s.cursors[2], at), nil)
		beta := s.load("beta", element(s.cursors[3], at), nil)
		s.Comment("·gamma + beta")
		s.VFMADD213PS(beta, gamma, x)
		s.store(x, element(s.cursors[1], at))
	})
}

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

// leastExponent is the least that exp2 takes: no result is smaller than 2^-126.
var leastExponent = term{"least", -126}

// inMemory is where a constant is, unless it is held in a register.
func (g *generator) inMemory(t term) operand.Op { return g.constant(t.name, t.value) }

// exp2 returns 2^t for t <= 126; t below -126 counts as -126. It overwrites t.
// constant says where a constant is.
func (g *generator) exp2(t reg.VecVirtual, constant func(t term) operand.Op) reg.VecVirtual {
	whole, e := g.register(), g.register()
	g.Comment("no result smaller than 2^-126")
	g.VMAXPS(constant(leastExponent), t, t)
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

// rows replaces each element of a block of rows by body's.
func (g *generator) rows(body func(x reg.VecVirtual) reg.VecVirtual) {
	g.eachRow(func(b *blockOfRows) {
		s := b.sweep("")
		s.run(2, func(_, at int) {
			x := s.load("x", element(s.cursors[0], at), nil)
			s.store(body(x), element(s.cursors[0], at))
		})
	})
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
		return g.pieceGELUOf()
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
