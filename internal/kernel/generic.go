package kernel

import (
	"math"
	"runtime"
)

// generic is the definition of every kernel, and the level for machines that
// have no other.
func generic() *Set {
	tiles := single(mulGeneric)
	int8, int8GELU := newInt8(single(mulInt8Generic), quantizeBytesGeneric, largestGeneric)
	return &Set{
		level: Generic,
		linear: map[DType]*arithmetic{
			Float32:  {tiles: tiles},
			BFloat16: newBFloat16(single(mulBF16Generic), narrowGeneric),
			Int16:    newInt16(single(mulInt16Generic), quantizeGeneric, largestGeneric),
			Int8:     int8,
			Int8GELU: int8GELU,
		},
		best: Float32,
		attend: map[DType]*attendSet{
			Float32:  {tileSet: tiles},
			BFloat16: {tileSet: single(mulBF16Generic), narrow: narrowGeneric, join: joinGeneric},
		},
		vector: vectors{
			dot: dotGeneric, add: addGeneric, scale: scaleGeneric, multiply: multiplyGeneric, max: maxGeneric, exp2Sum: exp2SumGeneric,
			sum: sumGeneric, deviation: deviationGeneric, normalize: normalizeGeneric, gelu: geluGeneric, geluNear: geluGeneric,
			softmax: softmaxGeneric, divide: divideGeneric,
		},
		peak: peak{peakGeneric, 8},
	}
}

// single is a tile set of one row and four columns.
func single(mul func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd int)) tileSet {
	return tileSet{cols: 4, tiles: []tile{inTurn(1, mul)}}
}

// mulGeneric is the tile of one row and four columns. Its four sums are variables
// rather than an array so that the compiler keeps them in registers.
func mulGeneric(c, a, b, bias, add []float32, k, _, _, ldb, _ int) {
	var s0, s1, s2, s3 float32
	if bias != nil {
		s0, s1, s2, s3 = bias[0], bias[1], bias[2], bias[3]
	}
	for i, x := range a[:k] {
		row := b[i*ldb : i*ldb+4 : i*ldb+4]
		s0 += x * row[0]
		s1 += x * row[1]
		s2 += x * row[2]
		s3 += x * row[3]
	}
	if add != nil {
		s0, s1, s2, s3 = s0+add[0], s1+add[1], s2+add[2], s3+add[3]
	}
	c[0], c[1], c[2], c[3] = s0, s1, s2, s3
}

// dotGeneric returns Σ a[i]·b[i].
func dotGeneric(a, b []float32) float32 {
	var sum float32
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// addGeneric computes dst[i] += x[i].
func addGeneric(dst, x []float32) {
	for i, v := range x {
		dst[i] += v
	}
}

// scaleGeneric computes x[i] *= factor.
func scaleGeneric(x []float32, factor float32) {
	for i := range x {
		x[i] *= factor
	}
}

// multiplyGeneric computes dst[i] = x[i]·y[i]. dst may be x.
func multiplyGeneric(dst, x, y []float32) {
	for i, v := range x {
		dst[i] = v * y[i]
	}
}

// maxGeneric returns the largest element, -Inf when there is none.
func maxGeneric(x []float32) float32 {
	largest := float32(math.Inf(-1))
	for _, v := range x {
		largest = max(largest, v)
	}
	return largest
}

// exp2SumGeneric computes x[i] = 2^(x[i]-shift) and returns the sum of the new
// values. No element may exceed shift.
func exp2SumGeneric(x []float32, shift float32) float32 {
	var sum float32
	for i, v := range x {
		x[i] = float32(math.Exp2(float64(v - shift)))
		sum += x[i]
	}
	return sum
}

// sumGeneric returns Σ x[i].
func sumGeneric(x []float32) float32 {
	var sum float64
	for _, v := range x {
		sum += float64(v)
	}
	return float32(sum)
}

// deviationGeneric returns Σ (x[i]-mean)².
func deviationGeneric(x []float32, mean float32) float32 {
	var sum float64
	for _, v := range x {
		d := float64(v - mean)
		sum += d * d
	}
	return float32(sum)
}

// normalizeGeneric computes dst[i] = (x[i]-mean)·inverse·gamma[i] + beta[i]. dst may be x.
func normalizeGeneric(dst, x, gamma, beta []float32, mean, inverse float32) {
	for i, v := range x {
		dst[i] = (v-mean)*inverse*gamma[i] + beta[i]
	}
}

// geluGeneric replaces each element x of a block of rows by x·Φ(x), Φ being the
// normal distribution function: the exact GELU of Hendrycks and Gimpel
// (arXiv:1606.08415), not its tanh approximation.
func geluGeneric(x []float32, rows, cols, stride int) {
	for r := range rows {
		row := x[r*stride : r*stride+cols]
		for i, v := range row {
			row[i] = float32(0.5 * float64(v) * math.Erfc(-float64(v)/math.Sqrt2))
		}
	}
}

// softmaxGeneric replaces the scores of each row by 2^(score-largest), largest being
// the row's, and total by their sum.
func softmaxGeneric(x []float32, rows, cols, stride int, largest, total []float32) {
	for r := range rows {
		row := x[r*stride : r*stride+cols]
		largest[r] = maxGeneric(row)
		total[r] = exp2SumGeneric(row, largest[r])
	}
}

// divideGeneric divides each row by a number of its own.
func divideGeneric(x []float32, rows, cols, stride int, by []float32) {
	for r := range rows {
		scaleGeneric(x[r*stride:r*stride+cols], 1/by[r])
	}
}

// peakGeneric makes four independent multiplications and additions a turn.
func peakGeneric(turns int) {
	var s0, s1, s2, s3 float32
	x := float32(turns)
	for range turns {
		s0, s1, s2, s3 = s0+x*x, s1+x*x, s2+x*x, s3+x*x
	}
	runtime.KeepAlive(s0 + s1 + s2 + s3)
}
