package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rowNorm is layerNorm under construction.
type rowNorm struct {
	*generator
	count, epsilon, one reg.VecVirtual // of a row's elements; in lane 0
}

// layerNorm emits the normalisation of rows. Its sums are those of sum and deviation.
func (g *generator) layerNorm() {
	g.function(layerNormOf)
	n := &rowNorm{generator: g, count: g.XMM(), epsilon: g.XMM(), one: g.XMM()}
	cols, to, ldd := g.GP64(), g.pointer("dst", "dst's row"), g.stride("ldd", "from row to row of dst")
	g.Comment("elements of a row")
	g.Load(g.Param("cols"), cols)
	g.Comment("0")
	g.VXORPS(n.count, n.count, n.count)
	g.Comment("how many")
	g.VCVTSI2SSQ(cols, n.count, n.count)
	g.Comment("epsilon")
	g.VMOVSS(g.argument(g.Param("epsilon")), n.epsilon)
	g.Comment("1")
	g.VMOVSD(g.float64One(), n.one)
	mean, inverse, nextMean, nextInverse := g.ZMM(), g.ZMM(), g.ZMM(), g.ZMM()
	g.rowsAhead(func(b *blockOfRows) {
		n.moments(b, nextMean, nextInverse)
	}, func(row reg.GPVirtual) {
		g.normalizeRow(row, to, mean, inverse)
		g.Comment("next row of dst")
		g.ADDQ(ldd, to)
	}, func() {
		g.Comment("the row's mean")
		g.VMOVAPS(nextMean, mean)
		g.Comment("and the inverse of its deviation")
		g.VMOVAPS(nextInverse, inverse)
	})
}

// float64One is the number 1 of 64 bits.
func (g *generator) float64One() operand.Mem {
	m := g.StaticGlobal("oneof64" + g.isa.name)
	g.DataAttributes(rodata)
	g.AddDatum(0, operand.F64(1))
	return m
}

// moments sets mean to a row's, and inverse to 1/sqrt(variance+epsilon), in every lane.
func (n *rowNorm) moments(b *blockOfRows, mean, inverse reg.VecVirtual) {
	sums := n.zeros(turns)
	s := b.sweep("sum")
	s.run(turns, func(turn, at int) {
		x := s.load("x", element(s.cursors[0], at), nil)
		n.Comment("sum += x")
		n.VADDPS(x, sums[turn], sums[turn])
	})
	n.combine(sums, n.VADDPS)
	n.Comment("by their number")
	n.VDIVSS(n.count, sums[0].AsX(), sums[0].AsX())
	n.Comment("in every lane")
	n.VBROADCASTSS(sums[0].AsX(), mean)
	squares := n.zeros(turns)
	d := b.sweep("deviation")
	d.run(turns, func(turn, at int) {
		x := d.load("x", element(d.cursors[0], at), mean)
		n.Comment("x - mean")
		n.VSUBPS(mean, x, x)
		n.Comment("sum += its square")
		n.VFMADD231PS(x, x, squares[turn])
	})
	n.combine(squares, n.VADDPS)
	n.inverseRoot(squares[0].AsX(), inverse)
}

// inverseRoot sets inverse to 1/sqrt(x/count + epsilon), rounded once behind the sum.
func (n *rowNorm) inverseRoot(x reg.Register, inverse reg.VecVirtual) {
	n.Comment("the variance")
	n.VDIVSS(n.count, x, x)
	n.Comment("+ epsilon")
	n.VADDSS(n.epsilon, x, x)
	n.Comment("in 64 bits")
	n.VCVTSS2SD(x, x, x)
	n.Comment("its root")
	n.VSQRTSD(x, x, x)
	n.Comment("1 by that")
	n.VDIVSD(x, n.one, x)
	n.Comment("in 32 bits")
	n.VCVTSD2SS(x, x, x)
	n.Comment("in every lane")
	n.VBROADCASTSS(x, inverse)
}

// normalizeRow writes a row whose mean and deviation are known.
func (g *generator) normalizeRow(row, to reg.GPVirtual, mean, inverse reg.VecVirtual) {
	s := &sweep{generator: g, n: g.GP64(), label: "normalize"}
	g.Comment("elements of the row")
	g.Load(g.Param("cols"), s.n)
	for i, from := range []reg.GPVirtual{row, to} {
		s.cursors = append(s.cursors, g.GP64())
		g.Comment([]string{"x's first", "dst's first"}[i])
		g.MOVQ(from, s.cursors[i])
	}
	s.cursors = append(s.cursors, g.pointer("gamma", "gamma's first"), g.pointer("beta", "beta's first"))
	s.normalize(turns, mean, inverse)
}
