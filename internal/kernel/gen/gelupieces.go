package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// GELU(x) is max(x, 0) - t·Φ(-t) with t = |x|, and t·Φ(-t) nearly a polynomial of degree 2
// on each of 16 pieces. Registers of 512 bits are tables of 16 numbers, so that looking
// three up takes three instructions, where one polynomial for all t wants nine terms.

// pieceScale and pieceFirst take t to u, from 2 to nearly 8 for t up to pieceReach. The
// last bit of u's exponent and the first three of its fraction are the number of the piece:
// eight from 2 to 4, and eight, twice as wide, on to 8.
const (
	pieceScale = 1.2
	pieceFirst = 2
	pieceReach = 4.98
	pieceShift = 20 // of the number of the piece in u's bits
)

// pieces are the polynomials near t·Φ(-t) in u, highest power first: each the least largest
// error on its piece, by Remez' exchange. In float32 it is below 4e-5, less than what
// rounding the result to bfloat16, 12 or 8 bits adds.
var pieces = [16][3]float32{
	{-0.2734412049, 1.509965895, -1.926159115},
	{-0.2504629256, 1.40572287, -1.807910206},
	{-0.2087964974, 1.19678934, -1.545937997},
	{-0.1558458439, 0.905287039, -1.144677873},
	{-0.1002094144, 0.5715277407, -0.6440561522},
	{-0.04964541724, 0.2431859889, -0.1109623533},
	{-0.009547166259, -0.0370245383, 0.3786229246},
	{0.01771016379, -0.2409433709, 0.7600479149},
	{0.03531495107, -0.3820381455, 1.042789783},
	{0.03236371645, -0.353828589, 0.9756046545},
	{0.01897470296, -0.219826, 0.6402521577},
	{0.008295471644, -0.1027740558, 0.3194581687},
	{0.002846024881, -0.03773767724, 0.1253906422},
	{0.0007846452923, -0.01111575829, 0.03942990583},
	{0.000176134058, -0.002658865445, 0.01004515971},
	{3.245298044e-05, -0.0005205341569, 0.002088864477},
}

// pieceTable is the coefficients of one power.
func (g *generator) pieceTable(power int) operand.Mem {
	name := fmt.Sprintf("piece%d", 2-power)
	if m, ok := g.constants[name]; ok {
		return m
	}
	m := g.StaticGlobal(name + g.isa.name)
	g.DataAttributes(rodata)
	for i, p := range pieces {
		g.AddDatum(4*i, operand.F32(p[power]))
	}
	g.constants[name] = m
	return m
}

// piecesGELU is what pieceGELU needs.
type piecesGELU struct {
	tables       [3]operand.Op
	scale, zero  reg.VecVirtual
	reach, first operand.Op
}

// pieceGELUOf loads pieceGELU's constants; all of them, if there are registers for them
// beside sums.
func (g *generator) pieceGELUOf(all bool) func(x reg.VecVirtual) reg.VecVirtual {
	c := &piecesGELU{scale: g.register(), zero: g.zeros(1)[0]}
	held := func(what string, m operand.Mem) operand.Op {
		x := g.register()
		g.Comment(what)
		g.VMOVUPS(m, x)
		return x
	}
	for i := range c.tables {
		c.tables[i] = g.pieceTable(i)
		if all || i < 2 {
			c.tables[i] = held(fmt.Sprintf("the pieces' coefficients of u^%d", 2-i), g.pieceTable(i))
		}
	}
	g.Comment("from t to u")
	g.VMOVUPS(g.constant("piecescale", pieceScale), c.scale)
	c.reach, c.first = g.constant("piecereach", pieceReach), g.constant("piecefirst", pieceFirst)
	if all {
		c.reach, c.first = held("the largest t", g.constant("piecereach", pieceReach)), held("u of t = 0", g.constant("piecefirst", pieceFirst))
	}
	return func(x reg.VecVirtual) reg.VecVirtual { return g.pieceGELU(x, c) }
}

// pieceGELU returns GELU(x). It overwrites x.
func (g *generator) pieceGELU(x reg.VecVirtual, c *piecesGELU) reg.VecVirtual {
	const lesserMagnitude = 10 // VRANGEPS: of two, without its sign
	u, piece, p := g.register(), g.register(), g.register()
	g.Comment("t: |x|, not above 4.98")
	g.VRANGEPS(operand.Imm(lesserMagnitude), c.reach, x, u)
	g.Comment("u")
	g.VFMADD213PS(c.first, c.scale, u)
	g.Comment("the piece's number")
	g.VPSRLD(operand.Imm(pieceShift), u, piece)
	g.Comment("its coefficient of u²")
	g.VPERMPS(c.tables[0], piece, p)
	for i, table := range c.tables[1:] {
		next := g.register()
		g.Comment(fmt.Sprintf("of u^%d", 1-i))
		g.VPERMPS(table, piece, next)
		g.Comment("·u + that")
		g.VFMADD213PS(next, u, p)
	}
	g.Comment("max(x, 0); NaN stays what it is")
	g.VMAXPS(x, c.zero, x)
	g.Comment("- t·Φ(-t)")
	g.VSUBPS(p, x, x)
	return x
}
