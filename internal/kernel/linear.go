package kernel

import "fmt"

// Core is one worker's use of a Set: the kernels together with the scratch that
// they need. A Core serves one goroutine at a time.
type Core struct {
	set  *Set
	tile []float32 // one tile of a product whose columns do not fill it
	heads
}

// NewCore makes the scratch of one worker whose products inside attention are in
// float32.
func (s *Set) NewCore() *Core { return s.NewCoreFor(Float32) }

// NewCoreFor makes the scratch of one worker for layers of a dtype. For one that
// rounds its operands, products inside attention round theirs to bfloat16 or int16
// where the level multiplies those quicker than float32.
func (s *Set) NewCoreFor(d DType) *Core {
	c := &Core{set: s, heads: heads{attend: s.attend[Float32]}}
	for _, rounded := range []DType{Int16, BFloat16} {
		if a, ok := s.attend[rounded]; ok && d != Float32 {
			c.attend = a
		}
	}
	for _, a := range s.linear {
		if a.blocks == nil {
			c.aside(a.tiles.tiles[0].rows * a.tiles.cols)
		}
	}
	c.heads.size()
	return c
}

// Linear computes dst = activation(x·Wᵀ + bias), GELU to 6e-5 in the low precisions. dst and x must not overlap.
func (c *Core) Linear(dst Matrix, x *Activations, w *Weights, a Activation) {
	c.product(dst, x, w, Matrix{}, a)
}

// LinearAdd computes dst = x·Wᵀ + bias + residual. residual may be dst.
func (c *Core) LinearAdd(dst Matrix, x *Activations, w *Weights, residual Matrix) {
	if residual.Rows != dst.Rows || residual.Cols != dst.Cols {
		panic(fmt.Sprintf("kernel: residual of %dx%d for a result of %dx%d", residual.Rows, residual.Cols, dst.Rows, dst.Cols))
	}
	c.product(dst, x, w, residual, Identity)
}

// product goes over the weights panel by panel, so that a panel is read from the
// far caches once and stays in the near ones for all rows.
func (c *Core) product(dst Matrix, x *Activations, w *Weights, residual Matrix, a Activation) {
	arithmetic := c.set.linear[w.dtype]
	checkProduct(dst, x, w, arithmetic.tiles.cols)
	if dst.Rows == 0 {
		return
	}
	raceReadMatrix(x.values)
	raceWriteMatrix(dst)
	if arithmetic.blocks != nil {
		c.blocksProduct(dst, x, w, residual, a)
		return
	}
	for n := 0; n < w.out; n += w.cols {
		p := w.panel(arithmetic, x, n)
		p.c = dst.ColumnRange(n, min(n+w.cols, w.out))
		if residual.Data != nil {
			p.add = residual.ColumnRange(n, min(n+w.cols, w.out))
		}
		if p.c.Cols == w.cols {
			c.fullPanel(&p, a)
		} else {
			c.partPanel(&p, a)
		}
	}
}

func checkProduct(dst Matrix, x *Activations, w *Weights, cols int) {
	if x.dtype != w.dtype || w.cols != cols {
		panic(fmt.Sprintf("kernel: %s inputs and %s weights in panels of %d columns at a level whose panels have %d", x.dtype, w.dtype, w.cols, cols))
	}
	if x.in != w.in || dst.Cols != w.out || x.values.Rows != dst.Rows {
		panic(fmt.Sprintf("kernel: product of %dx%d by a layer of %d inputs and %d outputs into %dx%d", x.values.Rows, x.in, w.in, w.out, dst.Rows, dst.Cols))
	}
}

// panel is the product of all rows with one panel of weights.
type panel struct {
	arithmetic *arithmetic
	in, cols   int    // of the weights and of the panel
	c, a, add  Matrix // add without data: nothing to add
	b, bias    []float32
}

// panel is the product of x with the panel that begins with output n, as yet without
// results.
func (w *Weights) panel(a *arithmetic, x *Activations, n int) panel {
	return panel{
		arithmetic: a, in: w.in, cols: w.cols, a: x.values,
		b: w.panels[n*w.steps : (n+w.cols)*w.steps], bias: w.bias[n*w.biasRows : (n+w.cols)*w.biasRows],
	}
}

// mul computes n tiles from row on into out, piece by piece.
func (p *panel) mul(t *tile, row, n int, out, add []float32, ldc, ldadd int) {
	b, bias, cols := p.b, p.bias, p.cols
	for i := range p.arithmetic.spans(p.in) {
		s := p.arithmetic.span(p.in, i)
		t.mul(out, p.a.Data[row*p.a.Stride+s.at:], b, bias, add, s.steps, ldc, p.a.Stride, cols, ldadd, n, p.pace())
		b, bias = b[s.steps*cols:], bias[min(p.arithmetic.biasRows()*cols, len(bias)):]
		add, ldadd = out, ldc
	}
}

// pace is how many bytes further to look behind the panel each time, so that a panel as
// large as this one has been asked for when all rows are done; a line at most.
func (p *panel) pace() int {
	const steps, line = 4, 64 // from one time to the next
	return min(steps*4*p.cols*p.arithmetic.tiles.tiles[0].rows/p.c.Rows, line)
}

// callWork is how many multiplications and additions a call of a tile makes at most, or
// one tile's: less than a millisecond, within which no goroutine can be preempted.
const callWork = 1 << 26

// atOnce is how many tiles that fill rows a call computes: one where an activation
// follows, which is applied while the tile is in the nearest cache.
func (p *panel) atOnce(t *tile, rows int, a Activation) int {
	if a != Identity {
		return 1
	}
	return min(rows/t.rows, max(callWork/(2*t.rows*p.cols*max(p.in, 1)), 1))
}

// tilesFor are the tiles for a result with an activation, and what is still to be
// applied to theirs.
func (p *panel) tilesFor(a Activation) ([]tile, Activation) {
	t := &p.arithmetic.tiles
	if a == GELU && t.gelu != nil && p.arithmetic.spans(p.in) == 1 {
		return t.gelu, Identity
	}
	return t.tiles, a
}

// fullPanel writes tiles in place.
func (c *Core) fullPanel(p *panel, a Activation) {
	tiles, a := p.tilesFor(a)
	c.coverPanel(p, tiles, a)
}

func (c *Core) coverPanel(p *panel, tiles []tile, a Activation) {
	row := 0
	for i := range tiles {
		t := &tiles[i]
		for n := 0; p.c.Rows-row >= t.rows; row += n * t.rows {
			n = p.atOnce(t, p.c.Rows-row, a)
			out := p.c.Data[row*p.c.Stride:]
			var add []float32
			if p.add.Data != nil {
				add = p.add.Data[row*p.add.Stride:]
			}
			p.mul(t, row, n, out, add, p.c.Stride, p.add.Stride)
			c.set.activate(a, p.arithmetic.encode != nil, out, n*t.rows, p.cols, p.c.Stride)
		}
	}
}

// partPanel computes each tile aside, full width, and copies the columns that exist.
func (c *Core) partPanel(p *panel, a Activation) {
	row, cols := 0, p.cols
	for i := range p.arithmetic.tiles.tiles {
		t := &p.arithmetic.tiles.tiles[i]
		for ; p.c.Rows-row >= t.rows; row += t.rows {
			p.mul(t, row, 1, c.tile, nil, cols, 0)
			c.set.activate(a, p.arithmetic.encode != nil, c.tile, t.rows, cols, cols)
			for r := range t.rows {
				out := c.tile[r*cols:][:p.c.Cols]
				if p.add.Data != nil {
					c.set.vector.add(out, p.add.Row(row+r))
				}
				copy(p.c.Row(row+r), out)
			}
		}
	}
}
