package kernel

// Set holds one level's kernels. Its methods are safe for concurrent use: a Set
// is never written after it was made.
type Set struct {
	level  Level
	linear map[DType]*arithmetic // products with packed weights
	best   DType                 // see Best
	attend map[DType]*attendSet  // products inside attention: Float32 and, where they are quicker, Int16 or BFloat16
	vector vectors
	peak   peak
}

// Level names the set's rung of the ladder.
func (s *Set) Level() Level { return s.level }

// tileFunc computes tiles of a product, one below the other, at least one: for r <
// rows·tiles and j < cols of a tile
//
//	c[r*ldc+j] = bias[j] + Σ_i a[r*lda+i]·b[i*ldb+j] + add[r*ldadd+j]
//
// The sum runs over i = 0, …, k-1 in that order and starts from bias. A nil bias
// or add stands for zeros; add may be c. Every four steps of a sum it may ask for a
// cache line behind b's last row, pace bytes further each time.
type tileFunc func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd, tiles, pace int)

// tile is a tileFunc with its height.
type tile struct {
	rows int
	mul  tileFunc
}

// inTurn is the tile of a function that computes one at a time and asks for nothing.
func inTurn(rows int, mul func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd int)) tile {
	return tile{rows, func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd, tiles, _ int) {
		for ; tiles > 1; tiles-- {
			mul(c, a, b, bias, add, k, ldc, lda, ldb, ldadd)
			c, a = c[rows*ldc:], a[rows*lda:]
			if add != nil {
				add = add[rows*ldadd:]
			}
		}
		mul(c, a, b, bias, add, k, ldc, lda, ldb, ldadd)
	}}
}

// tileSet holds the tiles of one width, tallest first, the last one a single row.
type tileSet struct {
	cols  int
	tiles []tile
	// gelu are tiles of the same heights that take GELU of the results and add nothing;
	// nil: there are none.
	gelu []tile
	// geluNarrow are such tiles whose results are rounded to pairs of bfloat16: what the
	// next product takes for its inputs; nil: there are none.
	geluNarrow []tile
	// twos tells that the tiles take steps of the sum by twos: k is even, and a
	// column's elements i and i+1 lie side by side, b(i, j) at b[i/2*2*ldb + 2*j + i%2].
	twos bool
	// square transposes a square of 16 elements, or its first rows; nil: nothing does.
	square func(dst, x []float32, rows, ldd, stride int)
	// squares tells that b lies in squares of 16 steps and 16 columns, zeros filling the
	// last steps up; cols is 32.
	squares bool
}

// steps is how many steps the sum of n products takes, of which the last may be 0.
func (s *tileSet) steps(n int) int {
	switch {
	case s.twos:
		return roundUp(n, 2)
	case s.squares:
		return roundUp(n, blockElements)
	}
	return n
}

// column is where column j of b begins.
func (s *tileSet) column(j int) int {
	switch {
	case s.twos:
		return 2 * j
	case s.squares:
		return blockElements * j
	}
	return j
}

// lay writes the rows of m as columns of a b of s.cols columns.
func (s *tileSet) lay(b []float32, m Matrix) {
	switch {
	case s.squares:
		s.laySquares(b, m)
		return
	case s.square != nil:
		s.transpose(b, m)
		return
	case !s.twos:
		transpose(b, m, s.cols)
		return
	}
	for i := range m.Cols {
		row := b[i/2*2*s.cols+i%2:]
		for j := range m.Rows {
			row[2*j] = m.Data[j*m.Stride+i]
		}
	}
}

// transpose writes column k of m to b[k*s.cols:], and what it likes to the columns of b
// that m has no rows for.
func (s *tileSet) transpose(b []float32, m Matrix) {
	whole := m.Cols &^ 15
	for i := 0; i < whole; i += 16 {
		for j := 0; j < m.Rows; j += 16 {
			s.square(b[i*s.cols+j:], m.Data[j*m.Stride+i:], min(m.Rows-j, 16), s.cols, m.Stride)
		}
	}
	transpose(b[whole*s.cols:], m.ColumnRange(whole, m.Cols), s.cols)
}

// mul covers rows x s.cols of a product with tiles; the operands are tileFunc's.
func (s *tileSet) mul(c, a, b, bias, add []float32, rows, k, ldc, lda, ldb, ldadd int) {
	for i := range s.tiles {
		t := &s.tiles[i]
		n := rows / t.rows
		if n == 0 {
			continue
		}
		t.mul(c, a, b, bias, add, k, ldc, lda, ldb, ldadd, n, 0)
		if rows -= n * t.rows; rows == 0 {
			return
		}
		c, a = c[n*t.rows*ldc:], a[n*t.rows*lda:]
		if add != nil {
			add = add[n*t.rows*ldadd:]
		}
	}
}

// vectors are the kernels over one vector or, with a stride, over a block of rows.
type vectors struct {
	dot       func(a, b []float32) float32
	add       func(dst, x []float32)
	scale     func(x []float32, factor float32)
	multiply  func(dst, x, y []float32)
	max       func(x []float32) float32
	exp2Sum   func(x []float32, shift float32) float32
	sum       func(x []float32) float32
	deviation func(x []float32, mean float32) float32
	normalize func(dst, x, gamma, beta []float32, mean, inverse float32)
	gelu      func(x []float32, rows, cols, stride int)
	softmax   func(x []float32, rows, cols, stride int, largest, total []float32)
	divide    func(x []float32, rows, cols, stride int, by []float32)
	// layerNorm is LayerNorm of rows; nil: it is computed row by row.
	layerNorm func(dst, x, gamma, beta []float32, rows, cols, ldd, stride int, epsilon float32)
	geluNear  func(x []float32, rows, cols, stride int) // GELU with an error of up to 6e-5 + 1e-6·|x|
}

// peak is a loop of nothing but multiply-adds on registers.
type peak struct {
	run   func(turns int)
	flops int // floating-point operations a turn
}

// Peak makes turns, at least one, of a loop of nothing but independent
// multiply-adds on registers and returns how many floating-point operations that
// was: the ceiling that kernels are measured against.
func (s *Set) Peak(turns int) float64 {
	s.peak.run(turns)
	return float64(turns) * float64(s.peak.flops)
}
