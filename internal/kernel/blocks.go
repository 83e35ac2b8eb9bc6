package kernel

// Products whose inputs lie in blocks: element e of row r is
//
//	values[e/16*16*rows + r*16 + e%16]
//
// so that 16 elements of any rows that follow each other are one piece of memory, and
// weights in squares: element i of column j of a panel of 32 is
//
//	panel[(i/16*2 + j/16)*256 + i%16*16 + j%16]

// blockElements is how many elements of a row lie side by side.
const blockElements = 16

// tileRows is how many rows a tile has at most.
const tileRows = 16

// blockCols is how many columns a panel has, squareRow how far apart its squares for 16
// steps and for the next are.
const (
	blockCols = 2 * blockElements
	squareRow = blockElements * blockCols
)

// blockSet computes rows x 32 of a product, its operands being tileFunc's but in blocks
// and squares: lda is from one block to the next, ldb from the squares of 16 steps to
// the next. add is never nil.
type blockSet struct {
	mul, gelu func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd, rows int)
	// narrow and narrowGELU write one block of what products of bfloat16 take for
	// inputs; nil where there are none.
	narrow, narrowGELU func(dst, a, b, bias []float32, k, lda, ldb, rows int)
	// encodeBlock rounds rows to one block, without scales; nil: row by row.
	encodeBlock func(dst, x []float32, rows, cols, ldd, stride int)
}

// tallest is how many rows a tile of a product that is computed aside has at most.
func (a *arithmetic) tallest() int {
	if a.blocks != nil {
		return blockCols
	}
	return a.tiles.tiles[0].rows
}

// laySquares writes the rows of m as columns of a panel, a whole number of squares high.
func (s *tileSet) laySquares(b []float32, m Matrix) {
	for i := 0; i < m.Cols; i += blockElements {
		for j := 0; j < m.Rows; j += blockElements {
			square := b[i*blockCols+j*blockElements:]
			s.square(square, m.Data[j*m.Stride+i:], min(m.Rows-j, blockElements), blockElements, m.Stride)
		}
	}
}

// layBlocks writes the rows from, …, to-1 of rows in blocks as columns of a panel.
func (s *tileSet) layBlocks(panel []float32, rows Matrix, from, to, steps int) {
	for e := 0; e < steps; e += blockElements {
		block := NewMatrix(rows.Data[:cap(rows.Data)][e*rows.Rows:], rows.Rows, blockElements)
		s.laySquares(panel[e*blockCols:], block.RowRange(from, to))
	}
}

// setBlocks encodes x in blocks.
func (a *Activations) setBlocks(arithmetic *arithmetic, x Matrix, balance func(row []float32) []float32) {
	raceReadMatrix(x)
	a.makeBlocks(x.Rows, arithmetic.width(x.Cols))
	if arithmetic.blocks.encodeBlock != nil && balance == nil && x.Rows > 0 {
		encodeBlocks(a.memory, x, arithmetic.blocks.encodeBlock)
		return
	}
	for i := range x.Rows {
		row := x.Row(i)
		if balance != nil {
			row = balance(row)
		}
		a.encodeInBlocks(arithmetic, i, row)
	}
}

// makeBlocks makes room for rows of width elements. values is then the first block.
func (a *Activations) makeBlocks(rows, width int) {
	a.values = NewMatrix(a.room(rows*roundUp(width, blockElements)), rows, blockElements)
}

// block begins with the elements from e on, which begins a block, of row 0.
func (a *Activations) block(e int) []float32 { return a.memory[e*a.values.Rows:] }

// encodeBlocks lays out the rows of m in blocks of pairs, the last one filled up with
// zeros. What it returns is the first block.
func encodeBlocks(dst []float32, m Matrix, narrow func(dst, x []float32, rows, cols, ldd, stride int)) Matrix {
	const values = 2 * blockElements
	for from := 0; from < max(m.Cols, 1); from += values {
		block, cols := dst[from/2*m.Rows:], min(values, m.Cols-from)
		if cols < values {
			clear(block[:m.Rows*blockElements])
		}
		if cols > 0 {
			narrow(block, m.Data[from:], m.Rows, cols, blockElements, m.Stride)
		}
	}
	return NewMatrix(dst, m.Rows, blockElements)
}

// encodeInBlocks encodes row r, x, its scales included.
func (a *Activations) encodeInBlocks(arithmetic *arithmetic, r int, x []float32) {
	for i := range arithmetic.spans(len(x)) {
		s := arithmetic.span(len(x), i)
		values, scale, inverse := x[s.from:s.from+s.values], float32(1), float32(1)
		if arithmetic.scaled() {
			scale, inverse = arithmetic.scaleOf(arithmetic.largest(values))
		}
		for e := 0; e < s.steps; e += blockElements {
			n := min(blockElements*arithmetic.perElement, len(values))
			arithmetic.encodePadded(a.block(s.at + e)[r*blockElements:], values[:n], blockElements, inverse)
			values = values[n:]
		}
		if arithmetic.scaled() {
			a.block(s.at + s.steps)[r*blockElements] = scale
		}
	}
}

// blockPanel writes a panel's product in place, or aside where columns are missing.
func (c *Core) blockPanel(p *panel, a Activation) {
	if p.c.Cols == blockCols {
		c.blockRows(p, a, 0, p.c.Rows, p.c.Data, p.c.Stride)
		return
	}
	add := p.add
	p.add = Matrix{}
	for row := 0; row < p.c.Rows; row += blockCols {
		rows := min(blockCols, p.c.Rows-row)
		c.blockRows(p, a, row, rows, c.tile, blockCols)
		for r := range rows {
			out := c.tile[r*blockCols:][:p.c.Cols]
			if add.Data != nil {
				c.set.vector.add(out, add.Row(row+r))
			}
			copy(p.c.Row(row+r), out)
		}
	}
}

// blockRows computes rows from row on into out, piece by piece.
func (c *Core) blockRows(p *panel, a Activation, row, rows int, out []float32, ldc int) {
	b, bias, add, ldadd := p.b, p.bias, noValues[:], 0
	if p.add.Data != nil {
		add, ldadd = p.add.Data[row*p.add.Stride:], p.add.Stride
	}
	mul, spans := p.arithmetic.blocks.mul, p.arithmetic.spans(p.in)
	if a == GELU && spans == 1 {
		mul, a = p.arithmetic.blocks.gelu, Identity
	}
	for i := range spans {
		s := p.arithmetic.span(p.in, i)
		mul(out, p.x.block(s.at)[row*blockElements:], b, bias, add, s.steps, ldc, blockElements*p.a.Rows, squareRow, ldadd, rows)
		b, bias = b[s.steps*blockCols:], bias[min(p.arithmetic.biasRows()*blockCols, len(bias)):]
		add, ldadd = out, ldc
	}
	c.set.activate(a, true, out, rows, blockCols, ldc)
}

// LinearFor sets dst to activation(x·Wᵀ + bias) as next wants its inputs. inner is
// memory for that product.
func (c *Core) LinearFor(dst *Activations, inner Matrix, x *Activations, w *Weights, a Activation, next *Weights) {
	if c.set.linear[w.dtype].narrower(w, a) == nil || next.dtype != BFloat16 || next.balance != nil {
		c.Linear(inner, x, w, a)
		c.set.PrepareFor(dst, inner, next)
		return
	}
	c.narrowProduct(dst, inner, x, w, a)
}

// narrowBlocks sets dst to x·Wᵀ + bias, rounded to bfloat16, in blocks behind whose last
// a tile may be read.
func (c *Core) narrowBlocks(dst *Activations, inner Matrix, x *Activations, w *Weights) {
	dst.room(inner.Rows*w.out/2 + tileRows*blockElements)
	if c.set.linear[w.dtype].narrower(w, Identity) != nil {
		c.narrowProduct(dst, inner, x, w, Identity)
		return
	}
	c.Linear(inner, x, w, Identity)
	dst.dtype, dst.in = BFloat16, w.out
	dst.makeBlocks(inner.Rows, w.out/2)
	encodeBlocks(dst.memory, inner, c.attend.narrow)
}

// narrowProduct rounds a product where it is made.
func (c *Core) narrowProduct(dst *Activations, inner Matrix, x *Activations, w *Weights, a Activation) {
	checkProduct(inner, x, w, blockCols)
	raceRead(x.memory)
	dst.dtype, dst.in = BFloat16, w.out
	dst.makeBlocks(inner.Rows, w.out/2)
	if inner.Rows == 0 {
		return
	}
	raceWrite(dst.memory)
	arithmetic := c.set.linear[w.dtype]
	mul := arithmetic.narrower(w, a)
	for n := 0; n < w.out; n += blockCols {
		mul(dst.block(n/2), x.memory, w.panels[n*w.steps:], w.bias[n*w.biasRows:], w.steps, blockElements*x.values.Rows, squareRow, inner.Rows)
	}
}

// narrower is the kernel that rounds a product where it is made; nil: there is none.
func (a *arithmetic) narrower(w *Weights, act Activation) func(dst, a, b, bias []float32, k, lda, ldb, rows int) {
	switch {
	case a.blocks == nil || w.out%blockCols != 0 || a.spans(w.in) > 1:
		return nil
	case act == Identity:
		return a.blocks.narrow
	case act == GELU:
		return a.blocks.narrowGELU
	}
	return nil
}
