package main

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
