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

// blockProduct is a product of rows x panels of 32 columns, its operands in blocks and
// squares: c = a·b + bias + add.
type blockProduct struct {
	c, a, b, bias, add []float32
	k                  int // steps of the sum, a multiple of 16
	rows, panels       int
	ldc, ldadd         int // from row to row; where c is in blocks, from one to the next
	lda                int // from one block to the next
	ldb                int // from the squares of 16 steps to the next
	ldpanel, ldbias    int // from panel to panel
	across             int // from panel to panel of add: 32, or 0 for zeros
	next               int // from panel to panel of c: 32, or from block to block
}

// blockSet are the kernels for products of blocks. They read up to slackRows rows behind
// the last one.
type blockSet struct {
	mul, gelu func(p blockProduct)
	// narrow and narrowGELU write blocks of what products of bfloat16 take for inputs,
	// and add nothing; nil where there are none.
	narrow, narrowGELU func(p blockProduct)
	// encodeBlock rounds rows to one block, without scales; nil: there are scales.
	encodeBlock func(dst, x []float32, rows, cols, ldd, stride int)
	// quantize encodes rows as bytes in blocks that are ldd apart, each row's scale behind
	// its last.
	quantize func(dst, x []float32, rows, cols, ldd, stride int, shift, levels float32, zero int32)
}

const slackRows = 31

// blockWork is how many multiplications a call makes at most, unless one panel has more:
// some hundred microseconds, within which no goroutine can be preempted.
const blockWork = 1 << 27

// each calls f for as many panels at a time as a call may take.
func (p blockProduct) each(f func(p blockProduct)) {
	total, most := p.panels, max(blockWork/(p.rows*p.k*2*blockCols), 1)
	for total > 0 {
		p.panels = min(total, most)
		f(p)
		total -= p.panels
		if total > 0 {
			p.c, p.b, p.bias = p.c[p.panels*p.next:], p.b[p.panels*p.ldpanel:], p.bias[p.panels*p.ldbias:]
			p.add = p.add[p.panels*p.across:]
		}
	}
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

// setBlocks encodes x in blocks.
func (a *Activations) setBlocks(arithmetic *arithmetic, x Matrix, balance func(rows Matrix) Matrix) {
	raceReadMatrix(x)
	a.makeBlocks(x.Rows, arithmetic.width(x.Cols))
	switch {
	case x.Rows == 0:
		return
	case x.Cols == 0:
		clear(a.memory)
		return
	case balance == nil:
		a.encodeInBlocks(arithmetic, 0, x)
		return
	}
	for i := range x.Rows {
		a.encodeInBlocks(arithmetic, i, balance(x.RowRange(i, i+1)))
	}
}

// makeBlocks makes room for rows of width elements, and for what is read behind them.
// values is then the first block.
func (a *Activations) makeBlocks(rows, width int) {
	a.values = NewMatrix(a.room(rows*roundUp(width, blockElements)+slackRows*blockElements), rows, blockElements)
}

// block begins with the elements from e on, which begins a block, of row 0.
func (a *Activations) block(e int) []float32 { return a.memory[e*a.values.Rows:] }

// encodeBlocks lays out the rows of m in blocks of pairs that are ldd apart, the last one
// filled up with zeros.
func encodeBlocks(dst []float32, ldd int, m Matrix, narrow func(dst, x []float32, rows, cols, ldd, stride int)) {
	const values = 2 * blockElements
	for from := 0; from < max(m.Cols, 1); from += values {
		block, cols := dst[from/values*ldd:], min(values, m.Cols-from)
		if cols < values {
			clear(block[:m.Rows*blockElements])
		}
		if cols > 0 {
			narrow(block, m.Data[from:], m.Rows, cols, blockElements, m.Stride)
		}
	}
}

// encodeInBlocks encodes x from row r on, its scales included.
func (a *Activations) encodeInBlocks(arithmetic *arithmetic, r int, x Matrix) {
	ldd, blocks := blockElements*a.values.Rows, arithmetic.blocks
	if blocks.quantize == nil {
		encodeBlocks(a.memory[r*blockElements:], ldd, x, blocks.encodeBlock)
		return
	}
	for i := range arithmetic.spans(x.Cols) {
		s := arithmetic.span(x.Cols, i)
		blocks.quantize(a.block(s.at)[r*blockElements:], x.Data[s.from:], x.Rows, s.values, ldd, x.Stride,
			-arithmetic.least, arithmetic.levels, arithmetic.zero)
	}
}

// blocksProduct computes whole panels in place, and aside one whose columns are not all there.
func (c *Core) blocksProduct(dst Matrix, x *Activations, w *Weights, residual Matrix, a Activation) {
	whole := dst.Cols / blockCols * blockCols
	c.wholePanels(dst.ColumnRange(0, whole), x, w, residual, a, 0)
	if whole == dst.Cols {
		return
	}
	aside := NewMatrix(c.aside(dst.Rows*blockCols), dst.Rows, blockCols)
	c.wholePanels(aside, x, w, Matrix{}, a, whole)
	for r := range dst.Rows {
		out := aside.Row(r)[:dst.Cols-whole]
		if residual.Data != nil {
			c.set.vector.add(out, residual.Row(r)[whole:])
		}
		copy(dst.Row(r)[whole:], out)
	}
}

// aside is memory for n elements.
func (c *Core) aside(n int) []float32 {
	if len(c.tile) < n {
		c.tile = make([]float32, n)
	}
	return c.tile[:n]
}

// wholePanels computes dst, whose first column is column n of the product, piece by piece.
func (c *Core) wholePanels(dst Matrix, x *Activations, w *Weights, residual Matrix, a Activation, n int) {
	if dst.Cols == 0 {
		return
	}
	arithmetic := c.set.linear[w.dtype]
	p := w.blockProduct(arithmetic, x, n, dst.Cols)
	p.c, p.ldc, p.next, p.add = dst.Data, dst.Stride, blockCols, noValues[:]
	if residual.Data != nil {
		p.add, p.ldadd, p.across = residual.Data[n:], residual.Stride, blockCols
	}
	mul, spans := arithmetic.blocks.mul, arithmetic.spans(w.in)
	if a == GELU && spans == 1 {
		mul, a = arithmetic.blocks.gelu, Identity
	}
	for i := range spans {
		s := arithmetic.span(w.in, i)
		p.a, p.k = x.block(s.at), s.steps
		p.each(mul)
		p.b, p.bias = p.b[s.steps*blockCols:], p.bias[arithmetic.biasRows()*blockCols:]
		p.add, p.ldadd, p.across = dst.Data, dst.Stride, blockCols
	}
	c.set.activate(a, true, dst.Data, dst.Rows, dst.Cols, dst.Stride)
}

// blockProduct is the product of x with the columns n, …, n+cols-1, as yet without results.
func (w *Weights) blockProduct(a *arithmetic, x *Activations, n, cols int) blockProduct {
	return blockProduct{
		b: w.panels[n*w.steps:], bias: w.bias[n*w.biasRows:], rows: x.values.Rows, panels: cols / blockCols,
		lda: blockElements * x.values.Rows, ldb: squareRow, ldpanel: w.steps * blockCols, ldbias: w.biasRows * blockCols,
	}
}

// narrowBlocks sets dst to x·Wᵀ + bias, rounded to bfloat16, in blocks.
func (c *Core) narrowBlocks(dst *Activations, inner Matrix, x *Activations, w *Weights) {
	if c.set.linear[w.dtype].narrower(w, Identity) != nil {
		c.set.Reserve(dst, inner.Rows, w)
		c.LinearInto(dst, 0, x, w, Identity)
		return
	}
	c.Linear(inner, x, w, Identity)
	dst.dtype, dst.in = BFloat16, w.out
	dst.makeBlocks(inner.Rows, w.out/2)
	encodeBlocks(dst.memory, blockElements*inner.Rows, inner, c.attend.narrow)
}

// narrower is the kernel that rounds a product where it is made; nil: there is none.
func (a *arithmetic) narrower(w *Weights, act Activation) func(p blockProduct) {
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
