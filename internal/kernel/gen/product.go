package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (g *generator) products() {
	for _, s := range append(g.isa.linear, g.isa.attend...) {
		g.product("mul", s, nil, false)
	}
	if !g.isa.wide() && g.isa.element == "float32" {
		return // exactGELU wants more registers than sums leave
	}
	for _, s := range g.isa.linear {
		g.product("mulGELU", s, g.geluInPlace, false)
		if g.isa.element == "bfloat16" {
			g.product("mulGELUNarrow", s, g.geluInPlace, true)
		}
	}
}

// tile is a product function under construction.
type tile struct {
	shape
	sums   [][]reg.VecVirtual // [row][vector]
	b      []reg.VecVirtual   // one row of b
	spread []reg.VecVirtual   // elements of a in every lane
	terms  reg.VecVirtual     // products on their way to the sums; where one instruction does not do both
	next   []reg.VecVirtual   // the next row of b, where two are multiplied at once
	rowsA  []reg.GPVirtual    // every third row's position in a
	lda    reg.GPVirtual
	rowB   reg.GPVirtual
	ldb    reg.GPVirtual
	used   int // of spread, in turn

	a, c, add reg.GPVirtual // where the tile's row 0 lies, or what comes next in it
	behind    reg.GPVirtual // the next line to ask for of what lies behind b
	pace      reg.GPVirtual
}

// product emits kernel's tileFunc for one shape, with an activation of the results
// unless that is nil. Rounded, results are what the next product takes for its inputs.
func (g *generator) product(name string, s shape, activation func(t *tile), rounded bool) {
	cols := s.vectors * g.isa.lanes
	name = fmt.Sprintf("%s%dx%d%s", name, s.rows, cols, g.isa.name)
	g.Function(name)
	g.Attributes(noSplit)
	g.SignatureExpr("func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd, tiles, pace int)")
	g.Pragma("noescape")
	g.Doc(append([]string{
		fmt.Sprintf("%s computes tiles of %d rows and %d columns, one below the other, the", name, s.rows, cols),
		fmt.Sprintf("elements of a and b being %s.", g.isa.elements()),
		fmt.Sprintf("With every %d steps of a sum it asks for a line behind b, pace bytes further each time:", unroll), "",
	}, g.isa.loops(fmt.Sprintf("%d * tiles", s.rows), cols, activation != nil, rounded)...)...)
	t := g.loadTile(s)
	g.Label("tile")
	g.placeTile(t)
	g.startSums(t)
	g.sumLoop(t)
	if g.isa.integers() {
		g.scaleSums(t)
	}
	if activation == nil {
		g.addSums(t)
	} else {
		activation(t)
	}
	if rounded {
		g.roundSums(t)
	}
	g.storeSums(t)
	g.nextTile(t)
	g.end()
}

func (g *generator) pointer(param, comment string) reg.GPVirtual {
	r := g.GP64()
	g.Comment(comment)
	g.Load(g.Param(param).Base(), r)
	return r
}

// stride loads a distance in elements and turns it into bytes.
func (g *generator) stride(param, comment string) reg.GPVirtual {
	r := g.GP64()
	g.Comment(comment)
	g.Load(g.Param(param), r)
	g.Comment("in bytes")
	g.SHLQ(operand.Imm(2), r)
	return r
}

func (g *generator) loadTile(s shape) *tile {
	t := &tile{shape: s, b: g.registers(s.vectors)}
	for range s.rows {
		t.sums = append(t.sums, g.registers(s.vectors))
	}
	if g.isa.inPairs() {
		t.next = g.registers(s.vectors)
	}
	registers := 16
	if g.isa.wide() {
		registers = 32
	}
	free := registers - (s.rows+1)*s.vectors
	if g.isa.apart {
		t.terms = g.register()
		free -= 1 + len(t.next)
	}
	t.spread = g.registers(min(free, 4))
	t.lda = g.stride("lda", "from row to row of a")
	t.ldb = g.stride("ldb", "from row to row of b")
	t.a, t.c = g.pointer("a", "a's row 0"), g.pointer("c", "c's row 0")
	t.add = g.pointer("add", "add's row 0")
	g.lookBehind(t)
	return t
}

// lookBehind sets what is asked for ahead of its use.
func (g *generator) lookBehind(t *tile) {
	t.behind, t.pace = g.GP64(), g.GP64()
	g.Comment("rows of b")
	g.Load(g.Param("k"), t.behind)
	g.Comment("in bytes")
	g.IMULQ(t.ldb, t.behind)
	b, err := g.Param("b").Base().Resolve()
	if err != nil {
		panic(err)
	}
	g.Comment("what lies behind them")
	g.ADDQ(b.Addr, t.behind)
	g.Comment("how much further to look each time")
	g.Load(g.Param("pace"), t.pace)
}

// placeTile begins a tile.
func (g *generator) placeTile(t *tile) {
	t.rowB = g.pointer("b", "b's row 0")
	t.rowsA = []reg.GPVirtual{g.GP64()}
	g.Comment("the tile's row 0 of a")
	g.MOVQ(t.a, t.rowsA[0])
	for r := 3; r < t.rows; r += 3 {
		p := g.GP64()
		g.Comment(fmt.Sprintf("a's row %d: two rows on,", r-1))
		g.LEAQ(operand.Mem{Base: t.rowsA[len(t.rowsA)-1], Index: t.lda, Scale: 2}, p)
		g.Comment(fmt.Sprintf("and one more to row %d", r))
		g.ADDQ(t.lda, p)
		t.rowsA = append(t.rowsA, p)
	}
}

// nextTile goes on to the tile below, if there is one.
func (g *generator) nextTile(t *tile) {
	for r := range t.rows {
		g.Comment(fmt.Sprintf("past row %d of a", r))
		g.ADDQ(t.lda, t.a)
	}
	tiles, err := g.Param("tiles").Resolve()
	if err != nil {
		panic(err)
	}
	g.Comment("one tile done")
	g.DECQ(tiles.Addr)
	g.Comment("another?")
	g.JNZ(operand.LabelRef("tile"))
}

// startSums sets every row's sums to bias or, where bias comes last, to 0 or to what
// corrects the inputs' zero point.
func (g *generator) startSums(t *tile) {
	switch g.isa.element {
	case "int16":
		g.zeroSums(t)
		return
	case "int8":
		bias := g.pointer("bias", "bias, and behind it and the scales the columns' corrections")
		g.spreadRow(t, bias, 2*t.vectors, "correction")
		return
	}
	bias := g.pointer("bias", "bias")
	g.Comment("is there a bias?")
	g.TESTQ(bias, bias)
	g.Comment("no: sums start from 0")
	g.JZ(operand.LabelRef("zero"))
	g.spreadRow(t, bias, 0, "bias")
	g.Comment("sums are ready")
	g.JMP(operand.LabelRef("sum"))
	g.Label("zero")
	g.zeroSums(t)
}

// spreadRow sets every row's sums to the vectors that lie from one on.
func (g *generator) spreadRow(t *tile, base reg.Register, from int, what string) {
	for v := range t.vectors {
		g.Comment(fmt.Sprintf("%s of columns %d to %d", what, v*g.isa.lanes, (v+1)*g.isa.lanes-1))
		g.VMOVUPS(element(base, (from+v)*g.isa.bytes()), t.sums[0][v])
		for r := 1; r < t.rows; r++ {
			g.Comment(fmt.Sprintf("the same for row %d", r))
			g.VMOVAPS(t.sums[0][v], t.sums[r][v])
		}
	}
}

// elements says what the operands of a product hold.
func (i *isa) elements() string {
	switch i.element {
	case "bfloat16":
		return "pairs of bfloat16, the low half first"
	case "int16":
		return "pairs of int16, the low half first; each row's scale follows its k pairs"
	case "int8":
		return "quadruples of bytes, unsigned in a and signed in b; each row's scale follows its k"
	}
	return i.element
}

// loops is what a product of so many rows computes, in Go.
func (i *isa) loops(rows string, cols int, gelu, rounded bool) []string {
	const pairs = "sum += low(a[r*lda+i])*low(b[i*ldb+j]) + high(a[r*lda+i])*high(b[i*ldb+j])"
	start, step, result := "sum := bias[j] // 0 when bias is nil", "sum = fma(a[r*lda+i], b[i*ldb+j], sum)", "sum"
	switch i.element {
	case "bfloat16":
		step = pairs
	case "int8":
		start = fmt.Sprintf("sum := int32bits(bias[%d+j])", 2*cols)
		step = "for n := range 4 { sum += byte(a[r*lda+i], n) * byte(b[i*ldb+j], n) }"
		result = fmt.Sprintf("fma(float32(sum)*a[r*lda+k], bias[%d+j], bias[j])", cols)
	case "int16":
		start, step = "sum := int32(0)", pairs
		result = fmt.Sprintf("fma(float32(sum)*a[r*lda+k], bias[%d+j], bias[j])", cols)
	}
	if gelu {
		result = "gelu(" + result + ")"
	} else {
		result += " + add[r*ldadd+j] // without add when it is nil"
	}
	place := "c[r*ldc+j]"
	if rounded {
		place = "bfloat16(c[r*ldc:], j)" // to the nearest, ties to even
	}
	return []string{
		fmt.Sprintf("\tfor r := range %s {", rows), fmt.Sprintf("\t\tfor j := range %d {", cols),
		"\t\t\t" + start, "\t\t\tfor i := range k {", "\t\t\t\t" + step, "\t\t\t}",
		"\t\t\t" + place + " = " + result, "\t\t}", "\t}",
	}
}
