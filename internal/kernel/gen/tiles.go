package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Products by AMX. A processor has eight tiles, registers of up to 16 rows of 64
// bytes. One instruction multiplies a tile of a (up to 16 rows, 16 elements of each)
// by a tile of b (16 rows of 16 columns) and adds the result to a tile of sums.
//
// Measured on Sapphire Rapids: with operands that lie as tiles do, one after the
// other, loads keep up with products; what finishes the sums of one block of rows
// (bias, GELU, rounding) costs nearly nothing between the products of the next;
// weights, which come from the third-level cache, have to be asked for ahead; and the
// operand that passes by must not push the one that stays out of the nearest cache.

const (
	tileRows   = 16 // of a tile
	tileBytes  = 64 // of a tile's row
	tileSize   = tileRows * tileBytes
	blockCols  = 32            // columns of a product, two tiles
	blockBytes = 4 * blockCols // of its row of sums
	blockSize  = 2 * tileRows * blockBytes
	across     = blockCols / 16
	firstB     = 6 // the tiles of b; those of sums come first, then those of a
)

// tileProduct is a product function under construction: of blocks of down x 2 tiles.
type tileProduct struct {
	down   int
	result result

	block, a, b reg.GPVirtual // the block's first row of a, and where in a and b the sum is
	row, lda    reg.GPVirtual // from row to row, and from 16 elements of a to the next
	steps       reg.GPVirtual // instructions left of the sum
	ahead       reg.GPVirtual // what to ask for next
	count       reg.GPVirtual // turns left of a short loop
	free        reg.GPVirtual // where this block's sums will go
	finish      finish

	ldb, panel operand.Mem // from 16 rows of b to the next, and from panel to panel
	left       operand.Mem // rows of the panel that are in no block yet
	other      operand.Mem // from free to where the next block's sums will go
}

func (t *tileProduct) sum(d, v int) int { return across*d + v }
func (t *tileProduct) tileA(d int) int  { return 4 + d }

// tileProducts emits the products of blocks of up to 32 rows and of up to 16.
func (g *generator) tileProducts() {
	for _, down := range []int{2, 1} {
		for _, r := range g.isa.results() {
			g.tileProduct(down, r)
		}
	}
	if g.isa.element == "bfloat16" {
		g.attention(1)
		g.attention(2)
	}
}

func (g *generator) tileProduct(down int, r result) {
	t := &tileProduct{down: down, result: r}
	rows := down * tileRows
	name := fmt.Sprintf("%s%dx%d%s", r.name, rows, blockCols, g.isa.name)
	g.Function(name) // not NOSPLIT: the sums are on the stack
	g.SignatureExpr(r.signature())
	g.Pragma("noescape")
	g.Doc(g.isa.tileDoc(name, r, rows)...)
	g.begin(t)
	g.Label("panel")
	g.beginPanel(t)
	g.Label("block")
	g.sumBlock(t)
	g.storeBlock(t)
	g.Comment("rows left?")
	g.JG(operand.LabelRef("block"))
	g.endPanel(t)
	g.Comment("one panel done")
	g.DECQ(g.argument(g.Param("panels")))
	g.Comment("another?")
	g.JNZ(operand.LabelRef("panel"))
	g.Comment("leave no tile behind for the system to save")
	g.emitTile("TILERELEASE")
	g.Label("last")
	g.finishRow(t)
	g.Comment("another row of the last block?")
	g.JNZ(operand.LabelRef("last"))
	g.end()
}

// argument is a parameter in memory.
func (g *generator) argument(p gotypes.Component) operand.Mem {
	basic, err := p.Resolve()
	if err != nil {
		panic(err)
	}
	return basic.Addr
}

func (g *generator) begin(t *tileProduct) {
	t.row, t.steps, t.ahead, t.count, t.free = g.GP64(), g.GP64(), g.GP64(), g.GP64(), g.GP64()
	t.block, t.a, t.b = g.GP64(), g.GP64(), g.GP64()
	g.configure(t.count)
	t.lda = g.stride("lda", "from 16 elements of a to the next")
	t.ldb = g.keptStride("ldb", "from 16 rows of b to the next")
	t.panel = g.keptStride("ldpanel", "from panel to panel of b")
	g.Comment("from row to row of a tile")
	g.MOVQ(operand.U32(tileBytes), t.row)
	memory := g.AllocLocal(2*blockSize + tileBytes)
	g.Comment("room for two blocks' sums,")
	g.LEAQ(memory.Offset(tileBytes-1), t.free)
	g.Comment("from a cache line's start")
	g.ANDQ(operand.I32(-tileBytes), t.free)
	t.left, t.other = g.AllocLocal(8), g.AllocLocal(8)
	g.Comment("the second block's lie behind the first's")
	g.MOVQ(operand.U32(blockSize), t.other)
	g.beginFinish(t)
}

// configure gives all tiles 16 rows of 64 bytes (Intel SDM volume 2, LDTILECFG: a
// palette, the bytes of a row of each tile from byte 16 on, their rows from 48 on).
// Smaller ones would save nothing but reads.
func (g *generator) configure(p reg.GPVirtual) {
	const name = "config"
	if _, ok := g.constants[name]; !ok {
		g.constants[name] = g.StaticGlobal(name + g.isa.name)
		g.DataAttributes(rodata)
		words := [8]uint64{0: 1, 2: 0x0040004000400040, 3: 0x0040004000400040, 6: 0x1010101010101010}
		for i, w := range words {
			g.AddDatum(8*i, operand.U64(w))
		}
	}
	g.Comment("eight tiles' shapes")
	g.LEAQ(g.constants[name], p)
	g.Comment("become theirs")
	g.emitTile("LDTILECFG", operand.Mem{Base: p})
}

// beginPanel goes to the first block.
func (g *generator) beginPanel(t *tileProduct) {
	g.Comment("the first block's row 0 of a")
	g.Load(g.Param("a").Base(), t.block)
	g.Comment("rows")
	g.Load(g.Param("rows"), t.count)
	g.Comment("are all left")
	g.MOVQ(t.count, t.left)
	g.Comment("the panel")
	g.Load(g.Param("b").Base(), t.ahead)
	g.Comment("behind it is wanted next")
	g.ADDQ(t.panel, t.ahead)
	g.placePanel(t)
}

// endPanel goes on to the next panel.
func (g *generator) endPanel(t *tileProduct) {
	g.Comment("to the next panel")
	g.MOVQ(t.panel, t.count)
	g.Comment("of b")
	g.ADDQ(t.count, g.argument(g.Param("b").Base()))
	g.finishedPanel(t)
}

// storeBlock hands the block's sums over to be finished.
func (g *generator) storeBlock(t *tileProduct) {
	g.Comment("from row to row of the sums")
	g.MOVQ(operand.U32(blockBytes), t.count)
	for d := range t.down {
		for v := range across {
			g.Comment(fmt.Sprintf("sums %d to memory", t.sum(d, v)))
			at := d*tileRows*blockBytes + v*tileBytes
			g.emitTile("TILESTORED", tmm(t.sum(d, v)), operand.Mem{Base: t.free, Index: t.count, Scale: 1, Disp: at})
		}
	}
	g.Comment("they are next to be finished,")
	g.MOVQ(t.free, t.finish.sums)
	g.Comment("the next block's go to the other place,")
	g.ADDQ(t.other, t.free)
	g.Comment("and those after them back")
	g.NEGQ(t.other)
	g.handOver(t)
	g.Comment("the next block's rows of a")
	g.ADDQ(operand.U32(uint64(t.down*tileSize)), t.block)
	g.Comment("so many fewer are left")
	g.SUBQ(operand.Imm(uint64(t.down*tileRows)), t.left)
}
