package main

import (
	"fmt"
	"strconv"
	"strings"
)

// A tile has four registers of four columns. Sums begin at V0; then come one row of b
// and what spreads an element of a.
const (
	neonVectors = 4
	neonCols    = 4 * neonVectors
	neonB       = vector(24)
	neonSpread  = vector(28)
)

// neonTile is a product function under construction.
type neonTile struct {
	*arm
	*neon
	rows int
}

func (t *neonTile) product() {
	i := &isa{element: t.element}
	doc := []string{
		fmt.Sprintf("computes a tile of %d rows and %d columns, the elements of a", t.rows, neonCols),
		fmt.Sprintf("and b being %s:", t.elements(i)), "",
	}
	t.begin(fmt.Sprintf("mul%dx%d%s", t.rows, neonCols, t.name),
		"func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd int)", append(doc, t.loops(i)...))
	t.line("MOVD lda+136(FP), R9", "from row to row of a")
	t.line("LSL $2, R9, R9", "in bytes")
	t.line("MOVD a_base+24(FP), R1", "a's row 0")
	for r := 1; r < t.rows; r++ {
		t.line(fmt.Sprintf("ADD R9, R%d, R%d", r, r+1), fmt.Sprintf("a's row %d", r))
	}
	t.line("MOVD b_base+48(FP), R8", "b's row 0")
	t.line("MOVD ldb+144(FP), R9", "from row to row of b")
	t.line("LSL $2, R9, R9", "in bytes")
	t.line("MOVD bias_base+72(FP), R10", "bias")
	t.start()
	if t.twos {
		t.matrixLoop()
		t.rowsOfBlocks()
	} else {
		t.loop()
	}
	if t.element == "int8" {
		t.scale()
	}
	t.store()
	t.line("RET", "done")
}

// elements says what the operands hold.
func (t *neonTile) elements(i *isa) string {
	text := i.elements()
	if t.signed {
		text = strings.Replace(text, "unsigned in a and signed in b", "signed in both", 1)
	}
	if t.twos {
		text += "; k is even"
	}
	return text
}

// loops is what the product computes.
func (t *neonTile) loops(i *isa) []string {
	list := i.loops(strconv.Itoa(t.rows), neonCols, false, false)
	if t.twos {
		for n, line := range list {
			list[n] = strings.ReplaceAll(line, "b[i*ldb+j]", "b[i/2*2*ldb+2*j+i%2]")
		}
	}
	return list
}

func (t *neonTile) sum(r, v int) vector { return vector(r*neonVectors + v) }

// four names the four registers from first on, as loads and stores want them.
func four(first vector) string {
	return fmt.Sprintf("[%s, %s, %s, %s]", first.s4(), (first + 1).s4(), (first + 2).s4(), (first + 3).s4())
}

// start sets every row's sums to bias, to 0, or to what corrects the inputs' zero.
func (t *neonTile) start() {
	if t.element == "int8" {
		t.line(fmt.Sprintf("ADD $%d, R10, R11", 2*4*neonCols), "the columns' corrections, behind bias and scales")
		t.spreadStart()
		return
	}
	t.line("MOVD R10, R11", "which sums start from")
	t.line("CBZ R10, zero", "no bias: sums start from 0")
	t.spreadStart()
	t.line("B sum", "sums are ready")
	t.label("zero")
	for n := range vector(t.sums()) {
		t.do("VEOR", "0", n, n, n)
	}
}

// sums is how many registers of sums there are.
func (t *neonTile) sums() int {
	if t.twos {
		return t.pairs() * neonBlocks
	}
	return t.rows * neonVectors
}

// spreadStart sets every row's sums to a row that R11 points to.
func (t *neonTile) spreadStart() {
	if t.twos {
		t.spreadBlocks()
		return
	}
	t.line(fmt.Sprintf("VLD1 (R11), %s", four(0)), "row 0's start")
	for r := 1; r < t.rows; r++ {
		for v := range neonVectors {
			t.do("VMOV", fmt.Sprintf("the same for row %d", r), vector(v), t.sum(r, v))
		}
	}
}

// loop adds a step's products a turn.
func (t *neonTile) loop() {
	t.label("sum")
	t.line("MOVD k+120(FP), R7", "steps left")
	t.line("CBZ R7, done", "none")
	t.label("step")
	t.line(fmt.Sprintf("VLD1 (R8), %s", four(neonB)), "b's row")
	t.line("ADD R9, R8", "next row of b")
	for r := range t.rows {
		x := neonSpread + vector(r%3)
		t.line(fmt.Sprintf("VLD1R.P 4(R%d), [%s]", r+1, x.s4()), fmt.Sprintf("a, row %d, in every lane; on in it", r))
		for v := range neonVectors {
			t.do(t.multiplyAdd(), fmt.Sprintf("row %d, vector %d += a·b", r, v), neonB+vector(v), x, t.sum(r, v))
		}
	}
	t.line("SUB $1, R7", "one step done")
	t.line("CBNZ R7, step", "another")
	t.label("done")
}

// multiplyAdd is the instruction that adds products of its first two registers to the
// third.
func (t *neonTile) multiplyAdd() string {
	switch {
	case t.element == "float32":
		return "VFMLA"
	case t.element == "bfloat16":
		return "BFMMLA"
	case t.signed:
		return "SDOT"
	}
	return "USMMLA"
}

// scale turns integer sums into float32: times the row's scale and the column's, plus
// bias. The rows' pointers stand behind their last element, where the scale lies.
func (t *neonTile) scale() {
	t.line(fmt.Sprintf("ADD $%d, R10, R11", 4*neonCols), "the columns' scales, behind bias")
	t.line(fmt.Sprintf("VLD1 (R11), %s", four(neonB)), "the scales")
	const spread, bias = neonSpread, neonSpread + 1
	for r := range t.rows {
		t.line(fmt.Sprintf("VLD1R (R%d), [%s]", r+1, spread.s4()), fmt.Sprintf("row %d's scale", r))
		t.line("MOVD R10, R11", "bias")
		for v := range neonVectors {
			n := t.sum(r, v)
			t.line(fmt.Sprintf("VLD1.P 16(R11), [%s]", bias.s4()), "bias of four columns")
			t.do("SCVTF", fmt.Sprintf("row %d, vector %d as float32", r, v), n, n)
			t.do("FMUL", "times the row's scale", spread, n, n)
			t.do("VFMLA", "times the column's scale, plus bias", neonB+vector(v), n, bias)
			t.do("VMOV", "back to its place", bias, n)
		}
	}
}

// store writes the tile, plus add where there is one.
func (t *neonTile) store() {
	t.line("MOVD add_base+96(FP), R11", "add's row 0")
	t.line("CBZ R11, store", "nothing to add")
	t.line("MOVD ldadd+152(FP), R12", "from row to row of add")
	t.line("LSL $2, R12, R12", "in bytes")
	for r := range t.rows {
		t.line(fmt.Sprintf("VLD1 (R11), %s", four(neonB)), fmt.Sprintf("add's row %d", r))
		t.line("ADD R12, R11", "add's next row")
		for v := range neonVectors {
			n := t.sum(r, v)
			t.do("FADD", fmt.Sprintf("row %d, vector %d += add", r, v), neonB+vector(v), n, n)
		}
	}
	t.label("store")
	t.line("MOVD c_base+0(FP), R0", "c's row 0")
	t.line("MOVD ldc+128(FP), R12", "from row to row of c")
	t.line("LSL $2, R12, R12", "in bytes")
	for r := range t.rows {
		t.line(fmt.Sprintf("VST1 %s, (R0)", four(t.sum(r, 0))), fmt.Sprintf("row %d", r))
		t.line("ADD R12, R0", "c's next row")
	}
}
