package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The sums of a tile: a loop over the steps, and what each step multiplies.

const unroll = 4 // steps of the sum a turn of the main loop

func (g *generator) zeroSums(t *tile) {
	for r := range t.rows {
		for v := range t.vectors {
			g.Comment(fmt.Sprintf("row %d, vector %d: 0", r, v))
			g.VXORPS(t.sums[r][v], t.sums[r][v], t.sums[r][v])
		}
	}
}

// sumLoop runs over the sum's steps, four a turn while there are as many.
func (g *generator) sumLoop(t *tile) {
	k := g.GP64()
	g.Label("sum")
	g.Comment("steps left")
	g.Load(g.Param("k"), k)
	g.Comment(fmt.Sprintf("fewer than %d?", unroll))
	g.SUBQ(operand.Imm(unroll), k)
	g.Comment("go on one by one")
	g.JL(operand.LabelRef("single"))
	g.Label("loop")
	for step := 0; step < unroll; step++ {
		if g.isa.inPairs() {
			g.stepPair(t, 4*step)
			step++
		} else {
			g.step(t, 4*step)
		}
	}
	g.advance(t, 4*unroll)
	g.Comment("what will be needed next, to the second-level cache")
	g.PREFETCHT1(element(t.behind, 0))
	g.Comment("further on")
	g.ADDQ(t.pace, t.behind)
	g.Comment("one turn done")
	g.SUBQ(operand.Imm(unroll), k)
	g.Comment("another whole turn?")
	g.JGE(operand.LabelRef("loop"))
	g.Label("single")
	g.Comment("steps left after whole turns")
	g.ADDQ(operand.Imm(unroll), k)
	g.Comment("none: done")
	g.JZ(operand.LabelRef("done"))
	g.Label("one")
	g.step(t, 0)
	g.advance(t, 4)
	g.Comment("one step done")
	g.DECQ(k)
	g.Comment("another?")
	g.JNZ(operand.LabelRef("one"))
	g.Label("done")
}

func (g *generator) advance(t *tile, bytes int) {
	for i, p := range t.rowsA {
		g.Comment(fmt.Sprintf("on in a's rows from %d", 3*i))
		g.ADDQ(operand.Imm(uint64(bytes)), p)
	}
}

// step adds a[r][i]·b[i][j] for one i; at is where a[0][i] lies, in bytes.
func (g *generator) step(t *tile, at int) {
	g.loadB(t, t.b)
	for r := range t.rows {
		if (r+1)*t.broadcast/t.rows > r*t.broadcast/t.rows {
			g.stepBroadcast(t, r, at)
		} else {
			g.stepRegister(t, r, at)
		}
	}
}

// loadB reads a row of b and goes on to the next.
func (g *generator) loadB(t *tile, row []reg.VecVirtual) {
	for v, b := range row {
		g.Comment(fmt.Sprintf("b, vector %d", v))
		g.VMOVUPS(element(t.rowB, v*g.isa.bytes()), b)
	}
	g.Comment("next row of b")
	g.ADDQ(t.ldb, t.rowB)
}

// elementA is a[r][i].
func (t *tile) elementA(r, at int) operand.Mem {
	m := operand.Mem{Base: t.rowsA[r/3], Disp: at}
	if r%3 > 0 {
		m.Index, m.Scale = t.lda, uint8(r%3)
	}
	return m
}

func (g *generator) stepRegister(t *tile, r, at int) {
	x := t.spread[t.used%len(t.spread)]
	t.used++
	g.Comment(fmt.Sprintf("a, row %d, in every lane", r))
	g.VBROADCASTSS(t.elementA(r, at), x)
	for v, b := range t.b {
		g.Comment(fmt.Sprintf("row %d, vector %d += a·b", r, v))
		g.multiplyAdd(t, x, b, t.sums[r][v])
	}
}

// multiplyAdd adds x·b to sum, lane by lane.
func (g *generator) multiplyAdd(t *tile, x, b, sum reg.VecVirtual) {
	switch g.isa.element {
	case "bfloat16":
		g.emitMissing("VDPBF16PS", "AVX512BF16", true, x, b, sum)
	case "int16":
		if t.terms != nil {
			g.VPMADDWD(x, b, t.terms)
			g.Comment("to the sum")
			g.VPADDD(t.terms, sum, sum)
			return
		}
		g.emitMissing("VPDPWSSD", g.isa.vnni(), true, x, b, sum)
	case "int8":
		if t.terms != nil {
			g.VPMADDUBSW(b, x, t.terms) // the first is the signed one
			g.addWords(t.terms, sum)
			return
		}
		g.emitMissing("VPDPBUSD", g.isa.vnni(), true, b, x, sum) // the second is the unsigned one
	default:
		g.VFMADD231PS(x, b, sum)
	}
}

func (g *generator) stepBroadcast(t *tile, r, at int) {
	for v, b := range t.b {
		g.Comment(fmt.Sprintf("row %d, vector %d += a·b", r, v))
		g.VFMADD231PS_BCST(t.elementA(r, at), b, t.sums[r][v])
	}
}
