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
	n.rows(to, ldd)
	g.end()
}

// rows emits the loop. Three rows are under way at once, since each of the two sums of a
// row, and the root, is waited for: one row's mean is looked for, the deviation of the row
// in front, and the row in front of that is written.
func (n *rowNorm) rows(to, ldd reg.GPVirtual) {
	row, stride, left := n.pointer("x", "the row whose mean is looked for"), n.stride("stride", "from row to row"), n.GP64()
	deviating, writing := n.GP64(), n.GP64()
	means, inverses := n.registers(3), n.registers(2)
	n.Comment("rows whose mean is not known")
	n.Load(n.Param("rows"), left)
	n.Comment("no row whose mean is")
	n.XORQ(deviating, deviating)
	n.Comment("none to write")
	n.XORQ(writing, writing)
	n.Label("row")
	n.where(deviating, "deviated", func() { n.deviation(deviating, means[1], inverses[0]) })
	n.where(left, "summed", func() { n.mean(row, means[0]) })
	n.where(writing, "written", func() {
		n.normalizeRow(writing, to, means[2], inverses[1])
		n.Comment("next row of dst")
		n.ADDQ(ldd, to)
	})
	for i, pass := range [][2]reg.VecVirtual{{means[1], means[2]}, {inverses[0], inverses[1]}, {means[0], means[1]}} {
		n.Comment([]string{"what is written next has this mean", "and this deviation", "what is to deviate, this mean"}[i])
		n.VMOVAPS(pass[0], pass[1])
	}
	n.Comment("is written next")
	n.MOVQ(deviating, writing)
	n.Comment("no row")
	n.XORQ(deviating, deviating)
	n.where(left, "rest", func() {
		n.Comment("or the one whose mean is known now")
		n.MOVQ(row, deviating)
		n.Comment("behind it the next")
		n.ADDQ(stride, row)
		n.Comment("one mean fewer to look for")
		n.DECQ(left)
	})
	again := n.GP64()
	n.Comment("a row under way?")
	n.MOVQ(writing, again)
	n.Comment("or two")
	n.ORQ(deviating, again)
	n.Comment("then again")
	n.JNZ(operand.LabelRef("row"))
}

// where emits what is done unless there is none.
func (n *rowNorm) where(there reg.GPVirtual, label string, emit func()) {
	n.Comment("is there any?")
	n.TESTQ(there, there)
	n.Comment("no")
	n.JZ(operand.LabelRef(label))
	emit()
	n.Label(label)
}

// float64One is the number 1 of 64 bits.
func (g *generator) float64One() operand.Mem {
	m := g.StaticGlobal("oneof64" + g.isa.name)
	g.DataAttributes(rodata)
	g.AddDatum(0, operand.F64(1))
	return m
}

// sweepRow goes over a row's elements.
func (n *rowNorm) sweepRow(row reg.GPVirtual, label string) *sweep {
	return (&blockOfRows{generator: n.generator, row: row}).sweep(label)
}

// mean sets mean to a row's, in every lane.
func (n *rowNorm) mean(row reg.GPVirtual, mean reg.VecVirtual) {
	sums := n.zeros(turns)
	s := n.sweepRow(row, "sum")
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
}

// deviation sets inverse to a row's 1/sqrt(variance+epsilon), in every lane.
func (n *rowNorm) deviation(row reg.GPVirtual, mean, inverse reg.VecVirtual) {
	squares := n.zeros(turns)
	s := n.sweepRow(row, "deviation")
	s.run(turns, func(turn, at int) {
		x := s.load("x", element(s.cursors[0], at), mean)
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
