package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const unroll = 4 // steps of the sum a turn of the main loop

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
