package main

import (
	"math"

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
