package kernel

import "fmt"

// Weights are the weights and bias of one linear layer, laid out for the tiles of
// the level and dtype that they were packed for: panels of a tile's columns, in each
// panel one row of columns per element of an input (a pair of inputs for bfloat16),
// the last panel filled with zeros.
type Weights struct {
	dtype   DType
	in, out int
	steps   int       // elements of an input
	cols    int       // columns of a panel
	panels  []float32 // [panel][step][column]
	bias    []float32 // [panel][column]
}

// In is the number of inputs, Out the number of outputs.
func (w *Weights) In() int  { return w.in }
func (w *Weights) Out() int { return w.out }

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

// Pack lays out the matrix w of out rows and in columns (the orientation of a
// checkpoint: one row per output) for this level and a dtype that it has. A nil bias
// stands for zeros. Neither argument is kept.
func (s *Set) Pack(w Source, bias []float32, d DType) *Weights {
	arithmetic, ok := s.linear[d]
	if !ok {
		panic(fmt.Sprintf("kernel: level %s has no %s", s.level, d))
	}
	out, in := w.Size()
	if bias != nil && len(bias) != out {
		panic(fmt.Sprintf("kernel: %d biases for %d outputs", len(bias), out))
	}
	per, cols := arithmetic.per(), arithmetic.tiles.cols
	p := &Weights{dtype: d, in: in, out: out, steps: (in + per - 1) / per, cols: cols, bias: make([]float32, roundUp(out, cols))}
	p.panels = make([]float32, len(p.bias)*p.steps)
	copy(p.bias, bias)
	piece, prepared := NewMatrix(make([]float32, cols*in), cols, in), Activations{}
	for n := 0; n < out; n += cols {
		rows := piece.RowRange(0, min(cols, out-n))
		for i := range rows.Rows {
			w.Read(rows.Row(i), n+i, 0)
		}
		s.Prepare(&prepared, rows, d)
		packPanel(p.panels[n*p.steps:(n+cols)*p.steps], prepared.values.ColumnRange(0, p.steps), cols)
	}
	return p
}

// packPanel transposes w into rows of cols columns.
func packPanel(panel []float32, w Matrix, cols int) {
	for k := range w.Cols {
		row := panel[k*cols:][:w.Rows]
		for j := range row {
			row[j] = w.Data[j*w.Stride+k]
		}
	}
}
