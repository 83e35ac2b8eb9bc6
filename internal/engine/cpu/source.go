package cpu

import (
	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// The types below are kernel.Sources, so that a layer goes from the checkpoint into
// its packed form without a copy of it in between.

// stored is a tensor, widened as it is read.
type stored struct {
	tensor     model.Tensor // without data: zeros
	rows, cols int
}

func (s stored) Size() (rows, cols int) { return s.rows, s.cols }

func (s stored) Read(dst []float32, row, col int) {
	if s.tensor.Data == nil {
		clear(dst)
		return
	}
	c := converters[s.tensor.DType]
	c.widen(dst, s.tensor.Data[(row*s.cols+col)*c.bytes:])
}

// transposed is a matrix read column by column.
type transposed kernel.Matrix

func (m transposed) Size() (rows, cols int) { return m.Cols, m.Rows }

func (m transposed) Read(dst []float32, row, col int) {
	for i := range dst {
		dst[i] = m.Data[(col+i)*m.Stride+row]
	}
}

// part is rows x cols of a source, from (row, col) on.
type part struct {
	kernel.Source
	row, col, rows, cols int
}

func (p part) Size() (rows, cols int) { return p.rows, p.cols }

func (p part) Read(dst []float32, row, col int) { p.Source.Read(dst, p.row+row, p.col+col) }

// scaled is a source whose elements are multiplied by a factor.
type scaled struct {
	kernel.Source
	factor float32
}

func (s scaled) Read(dst []float32, row, col int) {
	s.Source.Read(dst, row, col)
	for i := range dst {
		dst[i] *= s.factor
	}
}

// balanced is a source whose columns are divided by a number each.
type balanced struct {
	kernel.Source
	by []float32
}

func (b balanced) Read(dst []float32, row, col int) {
	b.Source.Read(dst, row, col)
	for i := range dst {
		dst[i] /= b.by[col+i]
	}
}

// stack is sources of as many columns, one on top of the next.
type stack []kernel.Source

func (s stack) Size() (rows, cols int) {
	for _, source := range s {
		n, c := source.Size()
		rows, cols = rows+n, c
	}
	return rows, cols
}

func (s stack) Read(dst []float32, row, col int) {
	for _, source := range s {
		n, _ := source.Size()
		if row < n {
			source.Read(dst, row, col)
			return
		}
		row -= n
	}
}

// linear is a layer's weights, one row per output, and its bias.
type linear struct {
	weight kernel.Source
	bias   []float32
}

// rows is the part of the layer that computes outputs from, …, to-1.
func (m linear) rows(from, to int) linear {
	_, cols := m.weight.Size()
	return linear{part{m.weight, from, 0, to - from, cols}, m.bias[from:to]}
}

// columns is the part of the layer that takes inputs from, …, to-1. The bias goes
// with the first one, so that the parts add up to the layer.
func (m linear) columns(from, to int) linear {
	rows, _ := m.weight.Size()
	p := linear{weight: part{m.weight, 0, from, rows, to - from}}
	if from == 0 {
		p.bias = m.bias
	}
	return p
}

// scaledBy is the layer with its outputs multiplied by factor.
func (m linear) scaledBy(factor float32) linear {
	bias := make([]float32, len(m.bias))
	for i, b := range m.bias {
		bias[i] = b * factor
	}
	return linear{scaled{m.weight, factor}, bias}
}

// join puts layers of the same inputs into one whose outputs follow each other.
func join(parts ...linear) linear {
	var weight stack
	var bias []float32
	for _, p := range parts {
		weight = append(weight, p.weight)
		bias = append(bias, p.bias...)
	}
	return linear{weight, bias}
}
