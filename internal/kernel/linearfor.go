package kernel

// LinearFor sets dst to activation(x·Wᵀ + bias) as next wants its inputs. inner is
// memory for that product.
func (c *Core) LinearFor(dst *Activations, inner Matrix, x *Activations, w *Weights, a Activation, next *Weights) {
	rounds := next.dtype == BFloat16 && next.balance == nil
	switch arithmetic := c.set.linear[w.dtype]; {
	case rounds && arithmetic.narrower(w, a) != nil:
		c.narrowProduct(dst, inner, x, w, a)
	case rounds && a == GELU && arithmetic.tiles.geluNarrow != nil && w.out%w.cols == 0:
		c.geluNarrow(dst, inner, x, w)
	default:
		c.Linear(inner, x, w, a)
		c.set.PrepareFor(dst, inner, next)
	}
}

// geluNarrow sets dst to GELU(x·Wᵀ + bias), rounded to bfloat16, panel by panel.
func (c *Core) geluNarrow(dst *Activations, inner Matrix, x *Activations, w *Weights) {
	arithmetic := c.set.linear[w.dtype]
	checkProduct(inner, x, w, arithmetic.tiles.cols)
	raceReadMatrix(x.values)
	dst.dtype, dst.in = BFloat16, w.out
	width := arithmetic.width(w.out)
	dst.values = NewMatrix(dst.room(inner.Rows*width), inner.Rows, width)
	raceWriteMatrix(dst.values)
	for n := 0; inner.Rows > 0 && n < w.out; n += w.cols {
		p := w.panel(arithmetic, x, n)
		p.c = dst.values.ColumnRange(n/2, (n+w.cols)/2)
		c.coverPanel(&p, arithmetic.tiles.geluNarrow, Identity)
	}
}
