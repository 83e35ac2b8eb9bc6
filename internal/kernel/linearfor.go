package kernel

// LinearFor sets dst to activation(x·Wᵀ + bias) as next wants its inputs. inner is
// memory for that product.
func (c *Core) LinearFor(dst *Activations, inner Matrix, x *Activations, w *Weights, a Activation, next *Weights) {
	if !c.set.Rounds(w, a, next) {
		c.Linear(inner, x, w, a)
		c.set.PrepareFor(dst, inner, next)
		return
	}
	c.set.Reserve(dst, inner.Rows, w)
	c.LinearInto(dst, 0, x, w, a)
}

// Rounds tells whether activation(x·Wᵀ + bias) can be rounded to next's inputs where it is
// made: by Reserve and LinearInto.
func (s *Set) Rounds(w *Weights, a Activation, next *Weights) bool {
	arithmetic := s.linear[w.dtype]
	if next.dtype != BFloat16 || next.balance != nil {
		return false
	}
	return arithmetic.narrower(w, a) != nil || a == GELU && arithmetic.tiles.geluNarrow != nil && w.out%w.cols == 0
}

// Reserve makes room in dst for rows of w's results, rounded.
func (s *Set) Reserve(dst *Activations, rows int, w *Weights) {
	dst.dtype, dst.in = BFloat16, w.out
	if arithmetic := s.linear[w.dtype]; arithmetic.blocks != nil {
		dst.makeBlocks(rows, w.out/2)
	} else {
		width := arithmetic.width(w.out)
		dst.values = NewMatrix(dst.room(rows*width), rows, width)
	}
}

// LinearInto writes activation(x·Wᵀ + bias), rounded, to the columns of dst from the one on
// where w, which may be some columns of what dst is reserved for, has its first.
func (c *Core) LinearInto(dst *Activations, from int, x *Activations, w *Weights, a Activation) {
	arithmetic := c.set.linear[w.dtype]
	checkProduct(Matrix{Rows: dst.values.Rows, Cols: w.out}, x, w, arithmetic.tiles.cols)
	switch {
	case dst.values.Rows == 0:
	case arithmetic.blocks != nil:
		c.narrowProduct(dst, from, x, w, a)
	default:
		c.geluNarrow(dst, from, x, w)
	}
}

// narrowProduct rounds a product where it is made, in blocks.
func (c *Core) narrowProduct(dst *Activations, from int, x *Activations, w *Weights, a Activation) {
	rows, arithmetic := dst.values.Rows, c.set.linear[w.dtype]
	into := dst.block(from / 2)
	raceRead(x.memory)
	raceWrite(into[:rows*w.out/2])
	p := w.blockProduct(arithmetic, x, 0, w.out)
	p.c, p.ldc, p.next, p.a, p.k = into, blockElements*rows, blockElements*rows, x.memory, w.steps
	p.each(arithmetic.narrower(w, a))
}

// geluNarrow rounds GELU of a product where it is made, panel by panel.
func (c *Core) geluNarrow(dst *Activations, from int, x *Activations, w *Weights) {
	arithmetic := c.set.linear[w.dtype]
	raceReadMatrix(x.values)
	raceWriteMatrix(dst.values.ColumnRange(from/2, (from+w.out)/2))
	for n := 0; n < w.out; n += w.cols {
		p := w.panel(arithmetic, x, n)
		p.c = dst.values.ColumnRange((from+n)/2, (from+n+w.cols)/2)
		c.coverPanel(&p, arithmetic.tiles.geluNarrow, Identity)
	}
}
