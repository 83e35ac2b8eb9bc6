package kernel

// layBlocks writes the keys from, …, to-1 of as many as are encoded in blocks as columns
// of a panel.
func (c *Core) layBlocks(panel []float32, keys, from, to, steps int) {
	for e := 0; e < steps; e += blockElements {
		block := NewMatrix(c.encoded[e*keys:], keys, blockElements)
		c.attend.laySquares(panel[e*blockCols:], block.RowRange(from, to))
	}
}

// joinSquares makes pairs of every two rows of v in squares, zeros filling up the last
// ones. A row of squares is 16 pairs high and padded columns wide.
func (c *Core) joinSquares(v Matrix, padded int) Matrix {
	const rows = 2 * blockElements
	joined := NewMatrix(c.values, c.attend.steps(v.Rows), padded)
	for from := 0; from < v.Rows; from += rows {
		squares, part := joined.Data[from/2*padded:], v.RowRange(from, min(from+rows, v.Rows))
		if part.Rows < rows || v.Cols < padded {
			clear(squares[:blockElements*padded])
		}
		for col := 0; col < v.Cols; col += blockElements {
			c.joinSquare(squares[col*blockElements:], part.ColumnRange(col, min(col+blockElements, v.Cols)))
		}
	}
	return joined
}

// joinSquare makes pairs of up to 32 rows of up to 16 columns.
func (c *Core) joinSquare(square []float32, v Matrix) {
	pairs := v.Rows / 2
	c.attend.join(square, v.Data, pairs, v.Cols, blockElements, 2*v.Stride, v.Stride)
	if v.Rows%2 == 0 {
		return
	}
	last := NewMatrix(c.last, 2, v.Cols)
	copy(last.Row(0), v.Row(v.Rows-1))
	clear(last.Row(1))
	c.attend.join(square[pairs*blockElements:], last.Data, 1, v.Cols, 0, 0, v.Cols)
}
