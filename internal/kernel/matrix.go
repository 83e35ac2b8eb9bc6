package kernel

// Matrix is a row-major view of float32: element (i, j) is Data[i*Stride+j].
// Stride is at least Cols; the elements between a row's end and the next row's
// start are never touched.
type Matrix struct {
	Data       []float32
	Rows, Cols int
	Stride     int
}

// NewMatrix views data as rows x cols without gaps.
func NewMatrix(data []float32, rows, cols int) Matrix {
	return Matrix{Data: data[:rows*cols], Rows: rows, Cols: cols, Stride: cols}
}

// Row is the view's row i.
func (m Matrix) Row(i int) []float32 {
	return m.Data[i*m.Stride : i*m.Stride+m.Cols : i*m.Stride+m.Cols]
}

// RowRange is the view of rows from, …, to-1.
func (m Matrix) RowRange(from, to int) Matrix {
	return m.view(from, 0, to-from, m.Cols)
}

// ColumnRange is the view of columns from, …, to-1.
func (m Matrix) ColumnRange(from, to int) Matrix {
	return m.view(0, from, m.Rows, to-from)
}

func (m Matrix) view(row, col, rows, cols int) Matrix {
	v := Matrix{Rows: rows, Cols: cols, Stride: m.Stride}
	if rows > 0 {
		first := row*m.Stride + col
		v.Data = m.Data[first : first+(rows-1)*m.Stride+cols]
	}
	return v
}
