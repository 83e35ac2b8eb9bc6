package kernel

// Activations are the inputs of linear layers as the weights of a dtype want them.
// The zero value is ready for Prepare, which reuses its memory.
type Activations struct {
	dtype  DType
	in     int
	values Matrix
	memory []float32
	scaled []float32 // some rows times their balance
}

// Prepare sets a to x for layers of a dtype that have no balance. For float32 that is
// x itself, which must then live as long as a is in use.
func (s *Set) Prepare(a *Activations, x Matrix, d DType) {
	a.dtype, a.in = d, x.Cols
	a.prepare(s.linear[d], x, nil)
}

// PrepareFor sets a to x as w wants it. Layers of w's dtype and balance want the same.
func (s *Set) PrepareFor(a *Activations, x Matrix, w *Weights) {
	if w.balance == nil {
		s.Prepare(a, x, w.dtype)
		return
	}
	a.dtype, a.in = w.dtype, x.Cols
	a.prepare(s.linear[w.dtype], x, func(rows Matrix) Matrix { return a.balance(s, rows, w.balance) })
}

// balancedRows is how many rows are multiplied by their balance before they are encoded:
// few enough that they are still in the nearest cache.
const balancedRows = 12

// balance is up to balancedRows rows times their balance, aside.
func (a *Activations) balance(s *Set, x Matrix, by []float32) Matrix {
	if n := balancedRows * x.Cols; len(a.scaled) < n {
		a.scaled = make([]float32, n)
	}
	scaled := NewMatrix(a.scaled, x.Rows, x.Cols)
	for i := range x.Rows {
		s.vector.multiply(scaled.Row(i), x.Row(i), by)
	}
	return scaled
}

// prepare encodes what balance, if there is one, makes of the rows of x.
func (a *Activations) prepare(arithmetic *arithmetic, x Matrix, balance func(rows Matrix) Matrix) {
	switch {
	case arithmetic.blocks != nil:
		a.setBlocks(arithmetic, x, balance)
	case arithmetic.encode == nil:
		a.values = x
	default:
		a.setRows(arithmetic, x, balance)
	}
}

// setRows encodes rows one after the other.
func (a *Activations) setRows(arithmetic *arithmetic, x Matrix, balance func(rows Matrix) Matrix) {
	raceReadMatrix(x)
	cols := arithmetic.width(x.Cols)
	a.values = NewMatrix(a.room(x.Rows*cols), x.Rows, cols)
	if balance == nil {
		arithmetic.encodeAll(a.values, x)
		return
	}
	for from := 0; from < x.Rows; from += balancedRows {
		to := min(from+balancedRows, x.Rows)
		arithmetic.encodeAll(a.values.RowRange(from, to), balance(x.RowRange(from, to)))
	}
}

// encodeAll encodes rows, at once where that can be.
func (a *arithmetic) encodeAll(dst, x Matrix) {
	if a.encodeRows == nil || x.Rows == 0 || x.Cols == 0 {
		for i := range x.Rows {
			a.encodeRow(dst.Row(i), x.Row(i))
		}
		return
	}
	raceWriteMatrix(dst)
	for i := range a.spans(x.Cols) {
		s := a.span(x.Cols, i)
		a.encodeRows(dst.Data[s.at:], x.Data[s.from:], x.Rows, s.values, dst.Stride, x.Stride, -a.least, a.levels, a.zero)
	}
}

// room is memory for n elements.
func (a *Activations) room(n int) []float32 {
	if len(a.memory) < n {
		a.memory = make([]float32, n)
	}
	return a.memory[:n]
}
