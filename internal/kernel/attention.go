package kernel

import "math"

// keyBlock is how many keys attention looks at before it rescales what it has:
// the scores of one tile of queries against a block stay in the nearest cache.
const keyBlock = 256

// heads is the scratch of Attention. All of it is bounded by keyBlock but for two
// numbers a query.
type heads struct {
	keys    []float32 // the block's keys transposed: [panel][dimension][column]
	values  []float32 // the block's values, padded to whole panels; when they do not fill them
	out     []float32 // one tile of queries' results, likewise
	scores  []float32 // one tile of queries against the block
	largest []float32 // per query: the largest score so far
	total   []float32 // per query: the sum of 2^(score-largest) so far
}

// size makes what does not depend on the head's dimension.
func (h *heads) size(t *tileSet) {
	h.scores = make([]float32, t.tiles[0].rows*roundUp(keyBlock, t.cols))
}

// grow makes room for queries queries of heads of that dimension.
func (h *heads) grow(t *tileSet, queries, dim int) {
	if len(h.total) < queries {
		h.largest, h.total = make([]float32, queries), make([]float32, queries)
	}
	if n := roundUp(keyBlock, t.cols) * dim; len(h.keys) < n {
		h.keys = make([]float32, n)
	}
	if padded := roundUp(dim, t.cols); padded != dim && len(h.values) < keyBlock*padded {
		h.values, h.out = make([]float32, keyBlock*padded), make([]float32, t.tiles[0].rows*padded)
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
	c.heads.grow(&c.set.attend, q.Rows, q.Cols)
	raceReadMatrix(q)
	raceReadMatrix(k)
	raceReadMatrix(v)
	raceWriteMatrix(out)
	for from := 0; from < k.Rows; from += keyBlock {
		to := min(from+keyBlock, k.Rows)
		c.packKeys(k.RowRange(from, to))
		values := c.packValues(v.RowRange(from, to))
		for row := 0; row < q.Rows; row += c.set.attend.tiles[0].rows {
			end := min(row+c.set.attend.tiles[0].rows, q.Rows)
			c.attendBlock(out.RowRange(row, end), q.RowRange(row, end), values, row, to-from, from == 0)
		}
	}
	c.set.vector.divide(out.Data, out.Rows, out.Cols, out.Stride, c.total)
}

// attendBlock adds one block of keys to the results of one tile of queries, the
// first of which is query number first.
func (c *Core) attendBlock(out, q, values Matrix, first, keys int, start bool) {
	stride := roundUp(keys, c.set.attend.cols)
	for n := 0; n < stride; n += c.set.attend.cols {
		c.set.attend.mul(c.scores[n:], q.Data, c.keys[n*q.Cols:], nil, nil, q.Rows, q.Cols, stride, q.Stride, c.set.attend.cols, 0)
	}
	if start {
		c.set.vector.softmax(c.scores, q.Rows, keys, stride, c.largest[first:], c.total[first:])
	} else {
		for r := range q.Rows {
			c.soften(c.scores[r*stride:][:keys], out.Row(r), first+r, false)
		}
	}
	c.weighValues(out, values, stride, start)
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

// weighValues adds weights·values to out; at the start out holds nothing yet.
func (c *Core) weighValues(out, values Matrix, stride int, start bool) {
	t := &c.set.attend
	target := out
	if values.Cols != out.Cols {
		target = NewMatrix(c.out, out.Rows, values.Cols)
		for r := range out.Rows {
			copy(target.Row(r), out.Row(r))
		}
	}
	for n := 0; n < values.Cols; n += t.cols {
		tile := target.Data[n:]
		add := tile
		if start {
			add = nil
		}
		t.mul(tile, c.scores, values.Data[n:], nil, add, out.Rows, values.Rows, target.Stride, stride, values.Stride, target.Stride)
	}
	if values.Cols != out.Cols {
		for r := range out.Rows {
			copy(out.Row(r), target.Row(r))
		}
	}
}

// packKeys transposes a block of keys into panels, as products want their second
// operand. Columns beyond the last key keep what was there: nobody reads their scores.
func (c *Core) packKeys(k Matrix) {
	cols := c.set.attend.cols
	for j := range k.Rows {
		column := c.keys[j/cols*cols*k.Cols+j%cols:]
		for i, x := range k.Row(j) {
			column[i*cols] = x
		}
	}
}

// packValues returns v itself where its columns fill whole panels, else a padded copy.
func (c *Core) packValues(v Matrix) Matrix {
	padded := roundUp(v.Cols, c.set.attend.cols)
	if padded == v.Cols {
		return v
	}
	p := NewMatrix(c.values, v.Rows, padded)
	for i := range v.Rows {
		copy(p.Row(i), v.Row(i))
	}
	return p
}
