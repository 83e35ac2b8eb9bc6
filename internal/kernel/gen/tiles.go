package main

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Products by AMX. A processor has eight tiles, registers of up to 16 rows of 64
// bytes. One instruction multiplies a tile of a (up to 16 rows, 16 elements of each)
// by a tile of b (16 rows of 16 columns) and adds the result to a tile of sums.

const (
	tileRows   = 16 // of a tile
	tileBytes  = 64 // of a tile's row
	tileCols   = tileBytes / 4
	blockCols  = 64                  // columns of a product
	blockBytes = 4 * blockCols       // of its row
	allSums    = 4                   // tiles of sums
	firstA     = allSums             // the first tile of a
	tiles      = 8                   // of the processor
	blockSize  = 2 * 16 * blockBytes // of the sums of a block, on the stack
)

// grid is how a block of sums lies in its tiles: down x across, columns in as many
// passes as that takes.
type grid struct{ down, across int }

func (t grid) rows() int        { return t.down * tileRows }
func (t grid) passes() int      { return blockCols / tileCols / t.across }
func (t grid) sum(d, v int) int { return d*t.across + v }
func (t grid) a(d int) int      { return firstA + d }

// b is the tile of b for column v of the grid. Where there are fewer tiles than
// columns, the first serves again.
func (t grid) b(v int) int {
	first := firstA + t.down
	return first + v%(tiles-first)
}

// tileProducts emits the products of blocks of up to 32 rows and of up to 16.
func (g *generator) tileProducts() {
	g.tileProduct(grid{2, 2})
	g.tileProduct(grid{1, 4})
}

// tileBlock is a product function under construction.
type tileBlock struct {
	grid
	a, b, c, add reg.GPVirtual // where the block begins
	lda, ldb     reg.GPVirtual
	stepB        reg.GPVirtual // from one tile of b to the one below
	sums         reg.GPVirtual // the block's sums, in memory
	sumStride    reg.GPVirtual
}

func (g *generator) tileProduct(shape grid) {
	name := fmt.Sprintf("mul%dx%d%s", shape.rows(), blockCols, g.isa.name)
	g.Function(name) // not NOSPLIT: the sums are on the stack
	g.SignatureExpr("func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd, rows, blocks int, config *[64]byte)")
	g.Pragma("noescape")
	g.Doc(g.isa.tileDoc(name, shape.rows())...)
	t := g.loadBlock(shape)
	blocks := g.GP64()
	g.Comment("blocks left")
	g.Load(g.Param("blocks"), blocks)
	g.Label("block")
	for pass := range shape.passes() {
		g.sumPass(t, pass)
	}
	g.finishBlock(t)
	g.Comment("a block further in a:")
	g.rowsFurther(t.lda, t.rows(), t.a)
	g.Comment("one block done")
	g.DECQ(blocks)
	g.Comment("another?")
	g.JNZ(operand.LabelRef("block"))
	g.Comment("leave no tile behind for the system to save")
	g.emitTile("TILERELEASE")
	g.end()
}

func (i *isa) tileDoc(name string, rows int) []string {
	loops := i.loops(rows, blockCols)
	loops[0] = "\tfor r := range blocks * rows {"
	if !i.integers() {
		loops[2], loops[6] = "\t\t\tsum := float32(0)", strings.Replace(loops[6], "sum", "sum + bias[j]", 1)
	}
	return append([]string{
		fmt.Sprintf("%s computes blocks of up to %d rows and %d columns, the elements of a and", name, rows, blockCols),
		fmt.Sprintf("b being %s.", i.elements()),
		fmt.Sprintf("Of several blocks each has %d rows. k is a multiple of 16, and config is newTileConfig's for rows:", rows), "",
	}, loops...)
}

// rowsFurther moves a pointer on by rows, a power of two.
func (g *generator) rowsFurther(stride reg.GPVirtual, rows int, p reg.GPVirtual) {
	distance := g.GP64()
	g.MOVQ(stride, distance)
	g.Comment(fmt.Sprintf("%d rows", rows))
	g.SHLQ(operand.Imm(uint64(bits.TrailingZeros(uint(rows)))), distance)
	g.Comment("on")
	g.ADDQ(distance, p)
}

func (g *generator) loadBlock(shape grid) *tileBlock {
	t := &tileBlock{grid: shape, stepB: g.GP64(), sums: g.GP64(), sumStride: g.GP64()}
	config := g.GP64()
	g.Comment("the tiles' shapes")
	g.Load(g.Param("config"), config)
	g.Comment("become theirs, and all tiles 0")
	g.emitTile("LDTILECFG", operand.Mem{Base: config})
	t.lda, t.ldb = g.stride("lda", "from row to row of a"), g.stride("ldb", "from row to row of b")
	g.Comment("from tile to tile of b:")
	g.MOVQ(t.ldb, t.stepB)
	g.Comment("16 rows")
	g.SHLQ(operand.Imm(4), t.stepB)
	t.a, t.b = g.pointer("a", "the block's row 0 of a"), g.pointer("b", "b's row 0")
	t.c, t.add = g.pointer("c", "the block's row 0 of c"), g.pointer("add", "the block's row 0 of add")
	memory := g.AllocLocal(blockSize + tileBytes)
	g.Comment("room for the block's sums,")
	g.LEAQ(memory.Offset(tileBytes-1), t.sums)
	g.Comment("from a cache line's start")
	g.ANDQ(operand.I32(-tileBytes), t.sums)
	g.Comment("from row to row of the sums")
	g.MOVQ(operand.U32(blockBytes), t.sumStride)
	return t
}

// sumPass computes the sums of one pass's columns.
func (g *generator) sumPass(t *tileBlock, pass int) {
	for i := range allSums {
		g.Comment(fmt.Sprintf("sums %d: 0", i))
		g.emitTile("TILEZERO", tmm(i))
	}
	rowsA := make([]reg.GPVirtual, t.down)
	for d := range rowsA {
		rowsA[d] = g.GP64()
		g.Comment(fmt.Sprintf("a, rows from %d", d*tileRows))
		g.MOVQ(t.a, rowsA[d])
		if d > 0 {
			g.Comment("a's row, in bytes,")
			g.rowsFurther(t.lda, d*tileRows, rowsA[d])
		}
	}
	rowB, steps := g.GP64(), g.GP64()
	g.Comment(fmt.Sprintf("b, columns from %d", pass*t.across*tileCols))
	g.LEAQ(element(t.b, pass*t.across*tileBytes), rowB)
	g.Comment("steps of the sums")
	g.Load(g.Param("k"), steps)
	loop, done := fmt.Sprintf("loop%d", pass), fmt.Sprintf("done%d", pass)
	g.Comment("16 at a time")
	g.SHRQ(operand.Imm(4), steps)
	g.Comment("none: all sums are 0")
	g.JZ(operand.LabelRef(done))
	g.Label(loop)
	g.tileStep(t, rowsA, rowB)
	g.Comment("16 steps done")
	g.DECQ(steps)
	g.Comment("more?")
	g.JNZ(operand.LabelRef(loop))
	g.Label(done)
	g.storePass(t, pass)
}

// tileStep adds 16 steps to the sums.
func (g *generator) tileStep(t *tileBlock, rowsA []reg.GPVirtual, rowB reg.GPVirtual) {
	for d, rowA := range rowsA {
		g.Comment(fmt.Sprintf("a, rows from %d", d*tileRows))
		g.emitTile("TILELOADD", operand.Mem{Base: rowA, Index: t.lda, Scale: 1}, tmm(t.grid.a(d)))
		for v := range t.across {
			if d == 0 {
				g.Comment(fmt.Sprintf("b, columns from %d of the pass", v*tileCols))
				g.emitTile("TILELOADD", operand.Mem{Base: rowB, Index: t.ldb, Scale: 1, Disp: v * tileBytes}, tmm(t.grid.b(v)))
			}
			g.Comment(fmt.Sprintf("sums %d += a·b", t.sum(d, v)))
			g.emitTile(g.isa.tileMultiply(), tmm(t.grid.b(v)), tmm(t.grid.a(d)), tmm(t.sum(d, v)))
		}
		g.Comment("on in these rows of a")
		g.ADDQ(operand.Imm(tileBytes), rowA)
	}
	g.Comment("on to b's next 16 rows")
	g.ADDQ(t.stepB, rowB)
}

func (i *isa) tileMultiply() string {
	if i.element == "int8" {
		return "TDPBUSD"
	}
	return "TDPBF16PS"
}

func (g *generator) storePass(t *tileBlock, pass int) {
	for d := range t.down {
		for v := range t.across {
			at := d*tileRows*blockBytes + (pass*t.across+v)*tileBytes
			g.Comment(fmt.Sprintf("sums %d to memory", t.sum(d, v)))
			g.emitTile("TILESTORED", tmm(t.sum(d, v)), operand.Mem{Base: t.sums, Index: t.sumStride, Scale: 1, Disp: at})
		}
	}
}

// finishBlock turns the block's sums into its rows of c.
func (g *generator) finishBlock(t *tileBlock) {
	f := g.loadFinish(t)
	g.Comment("is there something to add?")
	g.TESTQ(t.add, t.add)
	g.Comment("no")
	g.JZ(operand.LabelRef("plain"))
	ldadd := g.stride("ldadd", "from row to row of add")
	g.Label("adding")
	g.finishRow(t, f, ldadd)
	g.Comment("another?")
	g.JNZ(operand.LabelRef("adding"))
	g.Comment("the block is done")
	g.JMP(operand.LabelRef("finished"))
	g.Label("plain")
	g.finishRow(t, f, nil)
	g.Comment("another?")
	g.JNZ(operand.LabelRef("plain"))
	g.Label("finished")
}

// finish is what the rows of a block have in common.
type finish struct {
	bias, scales, corrections []reg.VecVirtual
	row, ldc, left            reg.GPVirtual // sums of the row, and rows left
	scale                     reg.GPVirtual // the row's, behind its elements of a
}

func (g *generator) loadFinish(t *tileBlock) *finish {
	f := &finish{row: g.GP64(), left: g.GP64()}
	f.ldc = g.stride("ldc", "from row to row of c")
	bias := g.pointer("bias", "bias")
	f.bias = g.loadRow(bias, 0, "bias")
	if g.isa.integers() {
		f.scales, f.corrections = g.loadRow(bias, 1, "scales"), g.loadRow(bias, 2, "corrections")
		f.scale = g.GP64()
		g.Comment("elements of a row of a,")
		g.Load(g.Param("k"), f.scale)
		g.Comment("behind which is its scale")
		g.LEAQ(operand.Mem{Base: t.a, Index: f.scale, Scale: 4}, f.scale)
	}
	g.Comment("sums of row 0")
	g.MOVQ(t.sums, f.row)
	g.Comment("rows left")
	g.Load(g.Param("rows"), f.left)
	return f
}

// loadRow reads row n behind base, of as many elements as a block has columns.
func (g *generator) loadRow(base reg.GPVirtual, n int, what string) []reg.VecVirtual {
	list := g.registers(blockBytes / g.isa.bytes())
	for v, x := range list {
		g.Comment(fmt.Sprintf("%s of vector %d", what, v))
		g.VMOVUPS(element(base, n*blockBytes+v*g.isa.bytes()), x)
	}
	return list
}

// finishRow writes one row and leaves in the flags whether it was the last.
func (g *generator) finishRow(t *tileBlock, f *finish, ldadd reg.Register) {
	var scale reg.VecVirtual
	if g.isa.integers() {
		scale = g.register()
		g.Comment("the row's scale")
		g.VBROADCASTSS(element(f.scale, 0), scale)
		g.Comment("and where the next one's is")
		g.ADDQ(t.lda, f.scale)
	}
	for v := range f.bias {
		sum := g.finishSums(f, v, scale)
		if ldadd != nil {
			g.Comment("+ add")
			g.VADDPS(element(t.add, v*g.isa.bytes()), sum, sum)
		}
		g.Comment("write")
		g.VMOVUPS(sum, element(t.c, v*g.isa.bytes()))
	}
	g.Comment("next row of c")
	g.ADDQ(f.ldc, t.c)
	if ldadd != nil {
		g.Comment("next row of add")
		g.ADDQ(ldadd, t.add)
	}
	g.Comment("next row of sums")
	g.ADDQ(t.sumStride, f.row)
	g.Comment("one row done")
	g.DECQ(f.left)
}

// finishSums is vector v of a row's results.
func (g *generator) finishSums(f *finish, v int, scale reg.VecVirtual) reg.VecVirtual {
	sum := g.register()
	g.Comment(fmt.Sprintf("vector %d", v))
	g.VMOVUPS(element(f.row, v*g.isa.bytes()), sum)
	if !g.isa.integers() {
		g.Comment("+ bias")
		g.VADDPS(f.bias[v], sum, sum)
		return sum
	}
	g.Comment("+ correction")
	g.VPADDD(f.corrections[v], sum, sum)
	g.Comment("as float32")
	g.VCVTDQ2PS(sum, sum)
	g.Comment("times the row's scale")
	g.VMULPS(scale, sum, sum)
	g.Comment("times the column's scale, plus bias")
	g.VFMADD213PS(f.bias[v], f.scales[v], sum)
	return sum
}
