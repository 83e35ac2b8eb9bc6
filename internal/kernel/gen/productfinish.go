package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// What becomes of a tile's sums: scales, GELU, what is added, and where they are written.

// scaleSums turns integer sums into float32: times the row's scale and the column's,
// plus bias.
func (g *generator) scaleSums(t *tile) {
	bias := g.pointer("bias", "bias, and behind it the columns' scales")
	for v := range t.vectors {
		g.Comment(fmt.Sprintf("scales of vector %d", v))
		g.VMOVUPS(element(bias, (t.vectors+v)*g.isa.bytes()), t.b[v])
	}
	for r := range t.rows {
		x := t.spread[r%len(t.spread)]
		g.Comment(fmt.Sprintf("row %d's scale, behind its last pair", r))
		g.VBROADCASTSS(t.elementA(r, 0), x)
		for v, sum := range t.sums[r] {
			g.Comment(fmt.Sprintf("row %d, vector %d as float32", r, v))
			g.VCVTDQ2PS(sum, sum)
			g.Comment("times the row's scale")
			g.VMULPS(x, sum, sum)
			g.Comment("times the column's scale, plus bias")
			g.VFMADD213PS(element(bias, v*g.isa.bytes()), t.b[v], sum)
		}
	}
}

// geluInPlace replaces sums by their GELU.
func (g *generator) geluInPlace(t *tile) {
	gelu := g.geluOfSums()
	for _, row := range t.sums {
		for v := range row {
			row[v] = gelu(row[v])
		}
	}
}

// geluOfSums is what computes GELU: exact for float32, near
// it where results are then rounded.
func (g *generator) geluOfSums() func(x reg.VecVirtual) reg.VecVirtual {
	if g.isa.element == "float32" {
		return g.exactGELUOf()
	}
	return g.nearGELUOf()
}

// addSums adds what there is to add.
func (g *generator) addSums(t *tile) {
	g.Comment("is there something to add?")
	g.TESTQ(t.add, t.add)
	g.Comment("no: store")
	g.JZ(operand.LabelRef("store"))
	ldadd := g.stride("ldadd", "from row to row of add")
	for r := range t.rows {
		for v := range t.vectors {
			g.Comment(fmt.Sprintf("row %d, vector %d += add", r, v))
			g.VADDPS(element(t.add, v*g.isa.bytes()), t.sums[r][v], t.sums[r][v])
		}
		g.Comment("add's next row")
		g.ADDQ(ldadd, t.add)
	}
	g.Label("store")
}

// roundSums makes one register of pairs of bfloat16 of each two of sums.
func (g *generator) roundSums(t *tile) {
	for r, row := range t.sums {
		var pairs []reg.VecVirtual
		for v := 0; v < len(row); v += 2 {
			g.Comment(fmt.Sprintf("row %d, vectors %d and %d as bfloat16", r, v, v+1))
			g.emitMissing("VCVTNE2PS2BF16", "AVX512BF16", false, row[v], row[v+1], row[v+1])
			pairs = append(pairs, row[v+1])
		}
		t.sums[r] = pairs
	}
}

// storeSums writes the tile.
func (g *generator) storeSums(t *tile) {
	ldc := g.stride("ldc", "from row to row of c")
	for r := range t.rows {
		for v, x := range t.sums[r] {
			g.Comment(fmt.Sprintf("row %d, vector %d", r, v))
			g.VMOVUPS(x, element(t.c, v*g.isa.bytes()))
		}
		g.Comment("c's next row")
		g.ADDQ(ldc, t.c)
	}
}
