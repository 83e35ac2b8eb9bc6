package main

import (
	"fmt"
	"math/bits"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// finish is what turns sums into results, row by row.
type finish struct {
	sums, c, left reg.GPVirtual // the next row's sums and place; rows left of the block
	ldc           operand.Op
	add, scale    reg.GPVirtual // the row's; of float32 and of integers
	ldadd         operand.Mem

	// Of the next block: where its results go, and what is added; its scales.
	nextC, nextAdd, nextScale operand.Mem
	across                    operand.Mem // from panel to panel of c
	acrossAdd                 operand.Mem
	ldbias                    operand.Mem

	bias, scales, corrections []reg.VecVirtual
	gelu                      func(x reg.VecVirtual) reg.VecVirtual
}

func (g *generator) beginFinish(t *tileProduct) {
	f := &t.finish
	f.sums, f.left, f.c = g.GP64(), g.GP64(), g.GP64()
	g.Comment("no block to be finished yet")
	g.XORQ(f.left, f.left)
	f.ldbias = g.keptStride("ldbias", "from panel to panel of bias")
	f.nextC = g.AllocLocal(8)
	f.bias = g.registers(blockBytes / g.isa.bytes())
	if t.result.rounded {
		f.ldc, f.across = operand.U32(tileBytes), g.keptStride("ldc", "from panel to panel of c")
	} else {
		f.ldc = g.keptStride("ldc", "from row to row of c")
		f.add, f.nextAdd = g.GP64(), g.AllocLocal(8)
		f.ldadd, f.acrossAdd = g.keptStride("ldadd", "from row to row of add"), g.keptStride("across", "from panel to panel of add")
	}
	if g.isa.integers() {
		f.scales, f.corrections = g.registers(len(f.bias)), g.registers(len(f.bias))
		f.scale, f.nextScale = g.GP64(), g.AllocLocal(8)
	}
	if t.result.gelu {
		f.gelu = g.pieceGELUOf(true) // loads are what products by tiles wait for
	}
}

// keptStride keeps in memory how far apart rows are, in bytes: registers are few.
func (g *generator) keptStride(name, what string) operand.Mem {
	kept := g.AllocLocal(8)
	bytes := g.stride(name, what)
	g.Comment("is looked up")
	g.MOVQ(bytes, kept)
	return kept
}

// placePanel sets where the first block's results go, and what is added to them.
func (g *generator) placePanel(t *tileProduct) {
	f := &t.finish
	place := func(param, what string, next operand.Mem) {
		g.Comment("the panel's row 0 of " + what)
		g.Load(g.Param(param).Base(), t.count)
		g.Comment("is the next block's")
		g.MOVQ(t.count, next)
	}
	place("c", "c", f.nextC)
	if !t.result.rounded {
		place("add", "add", f.nextAdd)
	}
	if g.isa.integers() {
		g.findScales(t)
	}
}

// findScales sets where the scale of a's row 0 is: behind its k elements.
func (g *generator) findScales(t *tileProduct) {
	g.Comment("elements of a row of a")
	g.Load(g.Param("k"), t.count)
	g.Comment("by 16")
	g.SHRQ(operand.Imm(4), t.count)
	g.Comment("times how far apart those are:")
	g.IMULQ(t.lda, t.count)
	g.Comment("row 0's scale")
	g.ADDQ(t.block, t.count)
	g.Comment("is the next block's first")
	g.MOVQ(t.count, t.finish.nextScale)
}

// finishedPanel goes on to the next panel's results.
func (g *generator) finishedPanel(t *tileProduct) {
	f := &t.finish
	further := func(param string, by operand.Op) {
		g.Comment("from panel to panel")
		g.MOVQ(by, t.count)
		g.Comment("of " + param)
		g.ADDQ(t.count, g.argument(g.Param(param).Base()))
	}
	further("bias", f.ldbias)
	if t.result.rounded {
		further("c", f.across)
		return
	}
	further("c", operand.U32(blockBytes))
	further("add", f.acrossAdd)
}

// handOver sets what the block whose sums are in memory now needs to be finished.
func (g *generator) handOver(t *tileProduct) {
	f, rows := &t.finish, t.down*tileRows
	g.Comment("a block's rows")
	g.MOVQ(operand.U32(uint64(rows)), f.left)
	g.Comment("are there fewer?")
	g.CMPQ(t.left, f.left)
	g.Comment("then those")
	g.CMOVQLT(t.left, f.left)
	g.nextBlock(t, f.nextC, f.c, f.ldc, rows)
	if !t.result.rounded {
		g.nextBlock(t, f.nextAdd, f.add, f.ldadd, rows)
	}
	if g.isa.integers() {
		g.nextBlock(t, f.nextScale, f.scale, operand.U32(tileBytes), rows)
	}
	g.Comment("the panel's bias")
	g.Load(g.Param("bias").Base(), t.count)
	g.loadRow(f.bias, t.count, 0, "bias")
	if g.isa.integers() {
		g.loadRow(f.scales, t.count, 1, "scales")
		g.loadRow(f.corrections, t.count, 2, "corrections")
	}
}

// nextBlock takes over where the block's row 0 is, and moves that on by a block's rows.
func (g *generator) nextBlock(t *tileProduct, next operand.Mem, now reg.GPVirtual, stride operand.Op, rows int) {
	g.Comment("the block's row 0")
	g.MOVQ(next, now)
	g.Comment("from row to row")
	g.MOVQ(stride, t.count)
	g.Comment("times a block's rows")
	g.SHLQ(operand.Imm(uint64(bits.TrailingZeros(uint(rows)))), t.count)
	g.Comment("the next block's row 0")
	g.ADDQ(t.count, next)
}

// loadRow reads row n behind base, of as many elements as a block has columns.
func (g *generator) loadRow(list []reg.VecVirtual, base reg.GPVirtual, n int, what string) {
	for v, x := range list {
		g.Comment(fmt.Sprintf("%s of vector %d", what, v))
		g.VMOVUPS(element(base, n*blockBytes+v*g.isa.bytes()), x)
	}
}

// finishSome finishes as many rows as the pace asks for, if there are.
func (g *generator) finishSome(t *tileProduct) {
	g.Comment("rows to finish now")
	g.Load(g.Param("pace"), t.count)
	g.Label("some")
	g.Comment("none left of the block before?")
	g.TESTQ(t.finish.left, t.finish.left)
	g.Comment("then no more")
	g.JZ(operand.LabelRef("enough"))
	g.finishRow(t)
	g.Comment("one less")
	g.DECQ(t.count)
	g.Comment("more?")
	g.JNZ(operand.LabelRef("some"))
	g.Label("enough")
}

// finishRow writes one row and leaves in the flags whether it was the last.
func (g *generator) finishRow(t *tileProduct) {
	f := &t.finish
	x := g.registers(len(f.bias))
	for v := range x {
		g.Comment(fmt.Sprintf("sums of vector %d", v))
		g.VMOVUPS(element(f.sums, v*g.isa.bytes()), x[v])
	}
	if g.isa.integers() {
		g.scaleTiles(f, x, t.row)
	} else {
		for v := range x {
			g.Comment("+ bias")
			g.VADDPS(f.bias[v], x[v], x[v])
		}
	}
	if f.gelu != nil {
		for v := range x {
			x[v] = f.gelu(x[v])
		}
	}
	if t.result.rounded {
		g.roundRow(f, x)
	} else {
		g.addRow(f, x)
	}
	g.Comment("next row")
	g.ADDQ(f.ldc, f.c)
	g.Comment("next row of sums")
	g.ADDQ(operand.U32(blockBytes), f.sums)
	g.Comment("one row done")
	g.DECQ(f.left)
}

// scaleTiles makes float32 of integer sums: times the row's scale and the column's,
// plus bias.
func (g *generator) scaleTiles(f *finish, x []reg.VecVirtual, row reg.GPVirtual) {
	scale := g.register()
	g.Comment("the row's scale")
	g.VBROADCASTSS(element(f.scale, 0), scale)
	g.Comment("and where the next one's is")
	g.ADDQ(row, f.scale)
	for v := range x {
		g.Comment("+ correction")
		g.VPADDD(f.corrections[v], x[v], x[v])
		g.Comment("as float32")
		g.VCVTDQ2PS(x[v], x[v])
		g.Comment("times the row's scale")
		g.VMULPS(scale, x[v], x[v])
		g.Comment("times the column's scale, plus bias")
		g.VFMADD213PS(f.bias[v], f.scales[v], x[v])
	}
}

func (g *generator) addRow(f *finish, x []reg.VecVirtual) {
	for v := range x {
		g.Comment("+ add")
		g.VADDPS(element(f.add, v*g.isa.bytes()), x[v], x[v])
		g.Comment("write")
		g.VMOVUPS(x[v], element(f.c, v*g.isa.bytes()))
	}
	g.Comment("next row of add")
	g.ADDQ(f.ldadd, f.add)
}

func (g *generator) roundRow(f *finish, x []reg.VecVirtual) {
	pairs := g.register()
	g.Comment("as bfloat16")
	g.emitMissing("VCVTNE2PS2BF16", "AVX512BF16", false, x[0], x[1], pairs)
	g.Comment("write")
	g.VMOVUPS(pairs, element(f.c, 0))
}
