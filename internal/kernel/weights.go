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

// Pack lays out the matrix w of out rows and in columns (the orientation of a
// checkpoint: one row per output) for this level and a dtype that it has. A nil bias
// stands for zeros. Neither argument is kept.
func (s *Set) Pack(w Matrix, bias []float32, d DType) *Weights {
	arithmetic, ok := s.linear[d]
	if !ok {
		panic(fmt.Sprintf("kernel: level %s has no %s", s.level, d))
	}
	if bias != nil && len(bias) != w.Rows {
		panic(fmt.Sprintf("kernel: %d biases for %d outputs", len(bias), w.Rows))
	}
	per, cols := arithmetic.per(), arithmetic.tiles.cols
	padded := roundUp(w.Rows, cols)
	p := &Weights{dtype: d, in: w.Cols, out: w.Rows, steps: (w.Cols + per - 1) / per, cols: cols, bias: make([]float32, padded)}
	p.panels = make([]float32, padded*p.steps)
	copy(p.bias, bias)
	if per > 1 {
		var narrowed Activations
		s.Prepare(&narrowed, w, d)
		w = narrowed.values.ColumnRange(0, p.steps)
	}
	for n := 0; n < w.Rows; n += cols {
		packPanel(p.panels[n*p.steps:(n+cols)*p.steps], w.RowRange(n, min(n+cols, w.Rows)), cols)
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
