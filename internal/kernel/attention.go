package kernel

import "math"

// keyBlock is how many keys attention looks at before it rescales what it has:
// the scores of one tile of queries against a block stay in the nearest cache.
const keyBlock = 256

// attendSet computes the products inside attention: on float32, or on operands that
// are rounded to pairs of bfloat16 or, of whole sequences only, of int16.
type attendSet struct {
	tileSet
	blocks *blockSet          // products on operands in blocks, in place of those of tiles; nil: none
	whole  map[int]attendFunc // by the heads' columns: attention over whole sequences at once
	// narrow rounds the elements of rows to pairs, in groups of 16 elements, 0 where a
	// row has ended. nil: operands stay what they are, and there is no join.
	narrow func(dst, x []float32, rows, cols, ldd, stride int)
	// join rounds the elements of rows and of those apart from them to pairs, of two
	// rows or, where tiles take steps by twos, of four.
	join func(dst, x []float32, rows, cols, ldd, stride, apart int)
}

// inIntegers is t but for heads of 32 and of 64 columns, whose whole sequences are attended
// to by functions on int16. What else there is, patterns and longer sequences, stays as it is.
func (t *attendSet) inIntegers(of32, of64 attendFunc) *attendSet {
	s := *t
	s.whole = map[int]attendFunc{32: of32, 64: of64}
	return &s
}

// steps is how many elements n values are encoded in.
func (t *attendSet) steps(n int) int {
	if t.narrow == nil {
		return n
	}
	return t.tileSet.steps((n + 1) / 2)
}

// height is how many queries are attended at a time.
func (t *attendSet) height() int {
	if t.blocks != nil {
		return blockCols
	}
	return t.tiles[0].rows
}

// multiply computes rows x cols of a·b + add, a's rows being as encodeRows leaves them;
// b has ldb columns. A nil add stands for zeros.
func (t *attendSet) multiply(c []float32, a Matrix, b, add []float32, k, ldc, ldb, ldadd int) {
	if t.blocks == nil {
		t.mul(c, a.Data, b, nil, add, a.Rows, k, ldc, a.Stride, ldb, ldadd)
		return
	}
	p := blockProduct{
		c: c, a: a.Data, b: b, bias: noValues[:], add: add, k: k, rows: a.Rows, panels: 1,
		ldc: ldc, ldadd: ldadd, lda: blockElements * a.Rows, ldb: blockElements * ldb,
	}
	if add == nil {
		p.add, p.ldadd = noValues[:], 0
	}
	t.blocks.mul(p)
}

// joined is how many rows join makes one of.
func (t *attendSet) joined() int {
	if t.twos {
		return 4
	}
	return 2
}

// width is how many elements the encoding of n values takes.
func (t *attendSet) width(n int) int { return t.steps(roundUp(n, 16)) }

// heads is the scratch of Attention. All of it is bounded by keyBlock but for two
// numbers a query.
type heads struct {
	attend  *attendSet
	keys    []float32 // the block's keys, encoded and transposed: [panel][step][column]
	values  []float32 // the block's values, encoded and padded to whole panels; unless they are so
	out     []float32 // one tile of queries' results, padded likewise
	scores  []float32 // one tile of queries against the block
	encoded []float32 // one tile of queries or weights, or the block's keys, encoded
	last    []float32 // the last values, fewer than are joined, and zeros to join them with
	largest []float32 // per query: the largest score so far
	total   []float32 // per query: the sum of 2^(score-largest) so far
	memory  headMemory
}

// size makes what does not depend on the head's dimension.
func (h *heads) size() {
	h.scores = make([]float32, h.attend.height()*roundUp(keyBlock, h.attend.cols))
}

// grow makes room for queries queries of heads of that dimension.
func (h *heads) grow(queries, dim int) {
	t := h.attend
	if len(h.total) < queries {
		h.largest, h.total = make([]float32, queries), make([]float32, queries)
	}
	if n := roundUp(keyBlock, t.cols) * t.steps(dim); len(h.keys) < n {
		h.keys = make([]float32, n)
	}
	padded := roundUp(dim, t.cols)
	if n := keyBlock * padded; (t.narrow != nil || padded != dim) && len(h.values) < n {
		h.values = make([]float32, n)
	}
	if n := t.height() * padded; padded != dim && len(h.out) < n {
		h.out = make([]float32, n)
	}
	if t.narrow == nil {
		return
	}
	if n := max(t.height()*t.width(keyBlock), keyBlock*t.width(dim)) + slackRows*blockElements; len(h.encoded) < n {
		h.encoded = make([]float32, n)
	}
	if n := t.joined() * dim; len(h.last) < n {
		h.last = make([]float32, n)
	}
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

// Attention computes out = softmax(q·kᵀ)·v for one head over one sequence: q, k, v
// and out have one row per token. The softmax is of base 2: who packs the query
// projection scales it by log2(e)/sqrt(dimension). out must not overlap the others.
//
// Keys are taken in blocks and the sums corrected whenever a block raises the
// largest score (Milakov and Gimelshein, arXiv:1805.02867; Dao et al.,
// arXiv:2205.14135), so that no more than a tile of scores exists at a time.
func (c *Core) Attention(out, q, k, v Matrix) {
	if q.Rows == 0 {
		return
	}
	c.grow(q.Rows, q.Cols)
	raceReadMatrix(q)
	raceReadMatrix(k)
	raceReadMatrix(v)
	raceWriteMatrix(out)
	for from := 0; from < k.Rows; from += keyBlock {
		to := min(from+keyBlock, k.Rows)
		c.packKeys(k.RowRange(from, to))
		values := c.packValues(v.RowRange(from, to))
		for row := 0; row < q.Rows; row += c.attend.height() {
			end := min(row+c.attend.height(), q.Rows)
			c.attendBlock(out.RowRange(row, end), q.RowRange(row, end), values, row, to-from, from == 0)
		}
	}
	c.set.vector.divide(out.Data, out.Rows, out.Cols, out.Stride, c.total)
}

// attendBlock adds one block of keys to the results of one tile of queries, the
// first of which is query number first.
func (c *Core) attendBlock(out, q, values Matrix, first, keys int, start bool) {
	stride := c.score(q, 0, keys)
	if start {
		c.set.vector.softmax(c.scores, q.Rows, keys, stride, c.largest[first:], c.total[first:])
	} else {
		for r := range q.Rows {
			c.soften(c.scores[r*stride:][:keys], out.Row(r), first+r, false)
		}
	}
	c.weighValues(out, values, keys, stride, start)
}

// score computes the scores of one tile of queries against the block's keys from,
// …, to-1, and returns how far apart the rows of scores are. from begins a panel.
func (c *Core) score(q Matrix, from, to int) (stride int) {
	t, steps := c.attend, c.attend.steps(q.Cols)
	stride = roundUp(to-from, t.cols)
	a := c.encodeRows(q)
	for n := 0; n < stride; n += t.cols {
		t.multiply(c.scores[n:], a, c.keys[(from+n)*steps:], nil, steps, stride, t.cols, 0)
	}
	return stride
}

// encodeRows is m as products want it: m itself, or its encoding in c.encoded.
func (c *Core) encodeRows(m Matrix) Matrix {
	switch {
	case c.attend.narrow == nil:
		return m
	case c.attend.blocks != nil:
		encodeBlocks(c.encoded, blockElements*m.Rows, m, c.attend.narrow)
		return NewMatrix(c.encoded, m.Rows, blockElements)
	}
	rows := NewMatrix(c.encoded, m.Rows, c.attend.width(m.Cols))
	c.attend.narrow(rows.Data, m.Data, m.Rows, m.Cols, rows.Stride, m.Stride)
	return rows
}

// soften turns one query's scores against a block into weights and corrects what
// the query has gathered so far.
func (c *Core) soften(scores, out []float32, query int, start bool) {
	largest := c.set.vector.max(scores)
	if start {
		c.largest[query], c.total[query] = largest, c.set.vector.exp2Sum(scores, largest)
		return
	}
	if largest > c.largest[query] {
		correction := float32(math.Exp2(float64(c.largest[query] - largest)))
		c.set.vector.scale(out, correction)
		c.total[query] *= correction
		c.largest[query] = largest
	}
	c.total[query] += c.set.vector.exp2Sum(scores, c.largest[query])
}

// weighValues adds weights·values to out for as many keys as there are; at the start
// out holds nothing yet. stride is that of c.scores, which hold the weights.
func (c *Core) weighValues(out, values Matrix, keys, stride int, start bool) {
	t := c.attend
	target := out
	if values.Cols != out.Cols {
		target = NewMatrix(c.out, out.Rows, values.Cols)
		for r := range out.Rows {
			copy(target.Row(r), out.Row(r))
		}
	}
	weights := c.encodeRows(Matrix{Data: c.scores, Rows: out.Rows, Cols: keys, Stride: stride})
	for n := 0; n < values.Cols; n += t.cols {
		tile := target.Data[n:]
		add := tile
		if start {
			add = nil
		}
		t.multiply(tile, weights, values.Data[t.column(n):], add, t.steps(keys), target.Stride, values.Stride, target.Stride)
	}
	if values.Cols != out.Cols {
		for r := range out.Rows {
			copy(out.Row(r), target.Row(r))
		}
	}
}

// packKeys encodes and transposes a block of keys into panels, as products want their
// second operand. Columns beyond the last key keep what was there: nobody reads their
// scores.
func (c *Core) packKeys(k Matrix) {
	cols, steps := c.attend.cols, c.attend.steps(k.Cols)
	rows := c.encodeRows(k)
	for from := 0; from < k.Rows; from += cols {
		panel, to := c.keys[from*steps:], min(from+cols, k.Rows)
		if c.attend.blocks != nil {
			c.layBlocks(panel, k.Rows, from, to, steps)
		} else {
			c.attend.lay(panel, rows.RowRange(from, to).ColumnRange(0, steps))
		}
	}
}

// packValues returns v itself where products take it as it is, else encodes it, or
// pads it to whole panels of columns.
func (c *Core) packValues(v Matrix) Matrix {
	padded := roundUp(v.Cols, c.attend.cols)
	switch {
	case c.attend.blocks != nil:
		return c.joinSquares(v, padded)
	case c.attend.join != nil:
		return c.joinValues(v, padded)
	case padded == v.Cols:
		return v
	}
	p := NewMatrix(c.values, v.Rows, padded)
	for i := range v.Rows {
		copy(p.Row(i), v.Row(i))
	}
	return p
}

// joinValues makes pairs of every two rows of v, padded columns wide.
func (c *Core) joinValues(v Matrix, padded int) Matrix {
	p, joined := NewMatrix(c.values, c.attend.steps(v.Rows), padded), c.attend.joined()
	whole, width := v.Rows/joined, joined/2*padded
	c.attend.join(p.Data, v.Data, whole, v.Cols, width, joined*v.Stride, v.Stride)
	if rest := v.RowRange(whole*joined, v.Rows); rest.Rows > 0 {
		last := NewMatrix(c.last, joined, v.Cols)
		clear(last.Data)
		for i := range rest.Rows {
			copy(last.Row(i), rest.Row(i))
		}
		c.attend.join(p.Data[whole*width:], last.Data, 1, v.Cols, 0, 0, v.Cols)
	}
	return p
}
