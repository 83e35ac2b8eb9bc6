package kernel

import (
	"fmt"
	"math"
)

// Weights are the weights and bias of one linear layer, laid out for the tiles of
// the level and dtype that they were packed for: panels of a tile's columns, in each
// panel one row of columns per element of an input (a pair of inputs in the low
// precisions), the last panel filled with zeros.
type Weights struct {
	dtype   DType
	in, out int
	cols    int       // columns of a panel
	steps   int       // elements of an input, all pieces together
	panels  []float32 // [panel][step][column]
	bias    []float32 // [panel][bias][column]; for integers see arithmetic.biasRows

	biasRows int // rows of a panel's bias

	balance []float32 // what inputs are multiplied by before they are encoded; nil: nothing
}

// In is the number of inputs, Out the number of outputs.
func (w *Weights) In() int  { return w.in }
func (w *Weights) Out() int { return w.out }

// Columns is the part of the layer that computes outputs from, …, to-1, as a view.
// from begins a panel.
func (w *Weights) Columns(from, to int) Weights {
	if from%w.cols != 0 {
		panic(fmt.Sprintf("kernel: output %d does not begin one of the panels of %d", from, w.cols))
	}
	part := *w
	end := roundUp(to, w.cols)
	part.out = to - from
	part.panels = w.panels[from*w.steps : end*w.steps]
	part.bias = w.bias[from*w.biasRows : end*w.biasRows]
	return part
}

// DType is the arithmetic that the weights are packed for.
func (w *Weights) DType() DType { return w.dtype }

// Source is a matrix that is read piece by piece: a checkpoint's tensor, widened on
// the way, or a Matrix.
type Source interface {
	Size() (rows, cols int)
	Read(dst []float32, row, col int) // elements col, …, col+len(dst)-1 of a row
}

// Size and Read make a Matrix a Source.
func (m Matrix) Size() (rows, cols int)           { return m.Rows, m.Cols }
func (m Matrix) Read(dst []float32, row, col int) { copy(dst, m.Row(row)[col:]) }

// Balanced is the layer of which w is the part that multiplies inputs times balance:
// PrepareFor then multiplies them. A column of weights divided by its largest and
// inputs multiplied by it make the same products, but let no column of small weights
// vanish beside a large one when a row is rounded to few bits (Xiao et al.,
// arXiv:2211.10438). Float32, which rounds nothing, has none.
func (w *Weights) Balanced(balance []float32) *Weights {
	if len(balance) != w.in || w.dtype == Float32 {
		panic(fmt.Sprintf("kernel: a balance of %d for %s weights of %d inputs", len(balance), w.dtype, w.in))
	}
	w.balance = balance
	return w
}

// Pack lays out the matrix w of out rows and in columns (the orientation of a
// checkpoint: one row per output) for this level and a dtype that it has. A nil bias
// stands for zeros. Neither is kept. The weights
// live in the arena.
func (s *Set) Pack(arena *Arena, w Source, bias []float32, d DType) *Weights {
	arithmetic, ok := s.linear[d]
	if !ok {
		panic(fmt.Sprintf("kernel: level %s has no %s", s.level, d))
	}
	out, in := w.Size()
	if bias != nil && len(bias) != out {
		panic(fmt.Sprintf("kernel: %d biases for %d outputs", len(bias), out))
	}
	p := newWeights(arena, d, arithmetic, in, out)
	piece, prepared := NewMatrix(make([]float32, p.cols*in), p.cols, in), Activations{}
	for n := 0; n < out; n += p.cols {
		rows := piece.RowRange(0, min(p.cols, out-n))
		for i := range rows.Rows {
			w.Read(rows.Row(i), n+i, 0)
		}
		if e := arithmetic.encoder(); e.encode == nil {
			prepared.values = rows
		} else {
			prepared.setRows(e, rows, nil)
		}
		p.packPanel(arithmetic, n, prepared.values)
		if bias != nil {
			addGeneric(p.bias[n*p.biasRows:], bias[n:n+rows.Rows])
		}
	}
	return p
}

func newWeights(arena *Arena, d DType, a *arithmetic, in, out int) *Weights {
	w := &Weights{dtype: d, in: in, out: out, cols: a.tiles.cols, biasRows: a.biasRows() * a.spans(in)}
	for i := range a.spans(in) {
		w.steps += a.span(in, i).steps
	}
	padded := roundUp(out, w.cols)
	w.panels, w.bias = arena.floats(padded*w.steps), arena.floats(padded*w.biasRows)
	return w
}

// packPanel lays out the panel that begins with output n. rows holds its outputs'
// weights, encoded.
func (w *Weights) packPanel(a *arithmetic, n int, rows Matrix) {
	panel, bias := w.panels[n*w.steps:], w.bias[n*w.biasRows:]
	for i := range a.spans(w.in) {
		s := a.span(w.in, i)
		elements := rows.ColumnRange(s.at, s.at+s.steps)
		if a.scaled() {
			transpose(bias[w.cols:], rows.ColumnRange(s.at+s.steps, s.at+s.steps+1), w.cols)
		}
		if a.bytes {
			a.signRows(elements, bias, w.cols)
		}
		a.tiles.lay(panel, elements)
		panel, bias = panel[s.steps*w.cols:], bias[a.biasRows()*w.cols:]
	}
}

// signRows turns the bytes of a piece of outputs' weights into signed ones and fills
// its rows of bias. For a row of integers n and its scale, and inputs (u-zero)·s +
// least as bytes u,
//
//	Σ input·weight = s·scale·(Σ u·n - zero·Σ n) + least·scale·Σ n
//
// of which the corrections are known now.
func (a *arithmetic) signRows(rows Matrix, bias []float32, cols int) {
	for j := range rows.Rows {
		row, sum := rows.Row(j), int32(0)
		for i, x := range row {
			bits := math.Float32bits(x) ^ 0x80808080
			sum += int32(int8(bits)) + int32(int8(bits>>8)) + int32(int8(bits>>16)) + int32(int8(bits>>24))
			row[i] = math.Float32frombits(bits)
		}
		bias[j] = a.least * bias[cols+j] * float32(sum)
		bias[2*cols+j] = math.Float32frombits(uint32(-a.zero * sum))
	}
}

// transpose writes column k of m to dst[k*stride:].
func transpose(dst []float32, m Matrix, stride int) {
	for k := range m.Cols {
		row := dst[k*stride:][:m.Rows]
		for j := range row {
			row[j] = m.Data[j*m.Stride+k]
		}
	}
}
