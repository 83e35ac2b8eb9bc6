package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// narrow emits the conversion of float32 to pairs of bfloat16. It writes whole
// registers: the last one's lanes past the last element are 0.
func (g *generator) narrow() {
	g.function("narrow", "func(dst, x []float32)",
		"for i := range roundUp(len(x), 16) {", "\t// element i of dst as bfloat16s; 0 where x has ended",
		"\tdst[i] = bfloat16(x[i]) // to the nearest, ties to even", "}")
	s := g.sweep("x")
	s.halves = append(s.halves, g.pointer("dst", "the next pairs"))
	s.run(1, func(_, at int) {
		x := s.load("x", element(s.cursors[0], at), nil)
		pairs := g.ZMM()
		g.Comment("as bfloat16, in the lower half of the register")
		g.emitMissing("VCVTNEPS2BF16", "AVX512BF16", false, x, pairs)
		g.Comment("write")
		g.VMOVUPS(pairs.AsY(), element(s.halves[0], at/2))
	})
	g.end()
}

// join emits the conversion of two rows of float32 to pairs of bfloat16, one element
// from each.
func (g *generator) join() {
	g.function("join", "func(dst, a, b []float32)", "for i := range a {",
		"\t// bfloat16s to the nearest, ties to even", "\tdst[i] = pair(low: bfloat16(a[i]), high: bfloat16(b[i]))", "}")
	s := g.sweep("a", "b", "dst")
	s.run(1, func(_, at int) {
		low := g.words(s.load("a", element(s.cursors[0], at), nil))
		high := g.words(s.load("b", element(s.cursors[1], at), nil))
		g.Comment("b's to the upper half")
		g.VPSLLD(operand.Imm(16), high, high)
		g.Comment("with a's")
		g.VPORD(low, high, high)
		s.store(high, element(s.cursors[2], at))
	})
	g.end()
}

// words returns a register's elements as bfloat16, one in the lower half of each lane.
func (g *generator) words(x reg.VecVirtual) reg.VecVirtual {
	narrow, wide := g.ZMM(), g.ZMM()
	g.Comment("as bfloat16, in the lower half of the register")
	g.emitMissing("VCVTNEPS2BF16", "AVX512BF16", false, x, narrow)
	g.Comment("one in each lane")
	g.VPMOVZXWD(narrow.AsY(), wide)
	return wide
}
