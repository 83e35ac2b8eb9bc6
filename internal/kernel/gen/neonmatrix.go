package main

import "fmt"

// Instructions on small matrices multiply two rows of a by two columns of b, two
// elements of each, so sums lie in blocks {row 0: column 0, column 1; row 1: the
// same}: those of two rows in as many registers as row by row. A single row is taken
// twice.

const neonBlocks = 2 * neonVectors // blocks in two rows

// block is the register of the sums of rows 2·pair and 2·pair+1, columns 2·v and 2·v+1.
func (t *neonTile) block(pair, v int) vector { return vector(pair*neonBlocks + v) }

func (t *neonTile) pairs() int { return (t.rows + 1) / 2 }

// spreadBlocks sets all rows' blocks to a row that R11 points to.
func (t *neonTile) spreadBlocks() {
	t.line(fmt.Sprintf("VLD1 (R11), %s", four(neonB)), "all rows' start")
	for pair := range t.pairs() {
		for v := range neonBlocks {
			from := neonB + vector(v/2)
			t.line(fmt.Sprintf("VDUP %s.D[%d], %s.D2", from, v%2, t.block(pair, v)), fmt.Sprintf("columns %d and %d", 2*v, 2*v+1))
		}
	}
}

// matrixLoop adds two steps' products a turn.
func (t *neonTile) matrixLoop() {
	t.label("sum")
	t.line("MOVD k+120(FP), R7", "steps left")
	t.line("CBZ R7, done", "none")
	t.label("step")
	for pair := range t.pairs() {
		t.loadRows(pair)
	}
	t.line(fmt.Sprintf("VLD1 (R8), %s", four(neonB)), "two rows of b, columns 0 to 7")
	t.multiplyBlocks(0)
	t.line("ADD $64, R8, R11", "the other columns")
	t.line(fmt.Sprintf("VLD1 (R11), %s", four(neonB)), "columns 8 to 15")
	t.multiplyBlocks(neonVectors)
	t.line("ADD R9<<1, R8", "next two rows of b")
	t.line("SUB $2, R7", "two steps done")
	t.line("CBNZ R7, step", "more")
	t.label("done")
}

// loadRows loads two elements of each of two rows of a.
func (t *neonTile) loadRows(pair int) {
	x, first := neonSpread+vector(pair), 2*pair+1
	if t.rows == 1 {
		t.line(fmt.Sprintf("VLD1R.P 8(R%d), [%s.D2]", first, x), "a, row 0, twice; on in it")
		return
	}
	t.line(fmt.Sprintf("FMOVD.P 8(R%d), %s", first, x.scalar()), fmt.Sprintf("a, row %d; on in it", 2*pair))
	t.line(fmt.Sprintf("VLD1.P 8(R%d), %s.D[1]", first+1, x), fmt.Sprintf("a, row %d; on in it", 2*pair+1))
}

// multiplyBlocks adds the products with four registers of b to the blocks from one on.
func (t *neonTile) multiplyBlocks(from int) {
	for pair := range t.pairs() {
		for v := range neonVectors {
			t.do(t.multiplyAdd(), fmt.Sprintf("rows %d and %d, columns %d and %d += a·b", 2*pair, min(2*pair+1, t.rows-1), 2*(from+v), 2*(from+v)+1),
				neonB+vector(v), neonSpread+vector(pair), t.block(pair, from+v))
		}
	}
}

// rowsOfBlocks puts the blocks' rows where the epilogue looks for them.
func (t *neonTile) rowsOfBlocks() {
	for pair := range t.pairs() {
		two := 2*pair+1 < t.rows
		for v := range neonVectors {
			if two {
				t.do("VZIP2", fmt.Sprintf("row %d, vector %d, aside", 2*pair+1, v), t.block(pair, 2*v+1), t.block(pair, 2*v), neonB+vector(v))
			}
			t.do("VZIP1", fmt.Sprintf("row %d, vector %d", 2*pair, v), t.block(pair, 2*v+1), t.block(pair, 2*v), t.sum(2*pair, v))
		}
		for v := 0; two && v < neonVectors; v++ {
			t.do("VMOV", fmt.Sprintf("row %d, vector %d", 2*pair+1, v), neonB+vector(v), t.sum(2*pair+1, v))
		}
	}
}
