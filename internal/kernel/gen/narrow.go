package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// narrow emits the conversion of rows of float32 to pairs of bfloat16. It writes whole
// registers: the last one's lanes past the last element are 0.
func (g *generator) narrow() {
	g.function(narrowOf)
	to, ldd := g.pointer("dst", "the row's first pair"), g.stride("ldd", "from row to row of dst")
	g.eachRow(func(b *blockOfRows) {
		s := b.sweep("x")
		s.halves = append(s.halves, g.GP64())
		g.Comment("the first pair")
		g.MOVQ(to, s.halves[0])
		s.run(1, func(_, at int) {
			x := s.load("x", element(s.cursors[0], at), nil)
			pairs := g.ZMM()
			g.Comment("as bfloat16, in the lower half of the register")
			g.emitMissing("VCVTNEPS2BF16", "AVX512BF16", false, x, pairs)
			g.Comment("write")
			g.VMOVUPS(pairs.AsY(), element(s.halves[0], at/2))
		})
		g.Comment("next row of dst")
		g.ADDQ(ldd, to)
	})
}

// join emits the conversion of rows of float32 to pairs of bfloat16, one element from
// each of two rows.
func (g *generator) join() {
	g.function(joinOf)
	to, ldd := g.pointer("dst", "dst's row"), g.stride("ldd", "from row to row of dst")
	apart := g.stride("apart", "from a to b")
	g.eachRow(func(b *blockOfRows) {
		s := b.sweep("x")
		second, pairs := g.GP64(), g.GP64()
		g.Comment("b's first element")
		g.LEAQ(operand.Mem{Base: s.cursors[0], Index: apart, Scale: 1}, second)
		g.Comment("their pair")
		g.MOVQ(to, pairs)
		s.cursors = append(s.cursors, second, pairs)
		s.run(1, func(_, at int) {
			low := g.words(s.load("a", element(s.cursors[0], at), nil))
			high := g.words(s.load("b", element(s.cursors[1], at), nil))
			g.Comment("b's to the upper half")
			g.VPSLLD(operand.Imm(16), high, high)
			g.Comment("with a's")
			g.VPORD(low, high, high)
			s.store(high, element(s.cursors[2], at))
		})
		g.Comment("next row of dst")
		g.ADDQ(ldd, to)
	})
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
