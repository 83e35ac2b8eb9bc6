package kernel

import "fmt"

// Weights are the weights and bias of one linear layer, laid out for the linear
// tiles of the level that packed them: panels of that many output columns, in each
// panel one row of columns per input, the last panel filled with zeros.
type Weights struct {
	in, out int
	cols    int       // columns of a panel
	panels  []float32 // [panel][input][column]
	bias    []float32 // [panel][column]
}

// In is the number of inputs, Out the number of outputs.
func (w *Weights) In() int  { return w.in }
func (w *Weights) Out() int { return w.out }

// Bytes is the memory that the packed layer takes.
func (w *Weights) Bytes() int { return 4 * (len(w.panels) + len(w.bias)) }

// Pack lays out the matrix w of out rows and in columns (the orientation of a
// checkpoint: one row per output) for this level. A nil bias stands for zeros.
// Neither argument is kept.
func (s *Set) Pack(w Matrix, bias []float32) *Weights {
	if bias != nil && len(bias) != w.Rows {
		panic(fmt.Sprintf("kernel: Pack: %d biases for %d outputs", len(bias), w.Rows))
	}
	cols := s.linear.cols
	padded := (w.Rows + cols - 1) / cols * cols
	p := &Weights{
		in: w.Cols, out: w.Rows, cols: cols,
		panels: make([]float32, padded*w.Cols), bias: make([]float32, padded),
	}
	copy(p.bias, bias)
	for n := 0; n < w.Rows; n += cols {
		packPanel(p.panels[n*w.Cols:(n+cols)*w.Cols], w.RowRange(n, min(n+cols, w.Rows)), cols)
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
