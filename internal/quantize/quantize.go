// Package quantize writes embeddings in fewer bits: bytes between the least and
// the greatest value of each dimension, or one bit, its sign.
//
// It computes what sentence-transformers 6.2 computes (util/quantization.py,
// quantize_embeddings), value for value, in float32 as NumPy does. It is not aware
// of where vectors come from or go.
//
// Invariant: with given Ranges a vector's bytes do not depend on other vectors.
package quantize

import (
	"errors"
	"fmt"
	"math"
)

// ErrTooFew says that one vector has no ranges: each of its values would be the
// least and the greatest at once.
var ErrTooFew = errors.New("ranges need at least 2 vectors")

// Ranges are the least value of each dimension and the width of one of the 255
// steps from there to the greatest.
type Ranges struct {
	least, step []float32
}

// RangesOf are those of the vectors themselves; all have the same length. The more
// there are, and the more like those to come, the better.
func RangesOf(vectors [][]float32) (Ranges, error) {
	if len(vectors) < 2 {
		return Ranges{}, fmt.Errorf("%w, there are %d", ErrTooFew, len(vectors))
	}
	dim := len(vectors[0])
	r := Ranges{make([]float32, dim), make([]float32, dim)}
	copy(r.least, vectors[0])
	copy(r.step, vectors[0]) // the greatest, at first
	for _, v := range vectors[1:] {
		for i, x := range v {
			r.least[i], r.step[i] = min(r.least[i], x), max(r.step[i], x)
		}
	}
	for i := range r.step {
		if r.step[i] = (r.step[i] - r.least[i]) / 255; r.step[i] == 0 {
			r.step[i] = 1 // all are alike
		}
	}
	return r, nil
}

// Dim is how many dimensions the ranges are for.
func (r Ranges) Dim() int { return len(r.least) }

// Uint8 is value i of a vector as a number from 0 to 255. What is outside the
// range gets its nearer end.
func (r Ranges) Uint8(i int, x float32) int {
	steps := float64((x - r.least[i]) / r.step[i])
	return int(min(max(math.Floor(steps), 0), 255))
}

// Int8 is Uint8 moved to -128 to 127.
func (r Ranges) Int8(i int, x float32) int { return r.Uint8(i, x) - 128 }

// Bits packs the signs of a vector, 1 for a value above 0, eight to a byte with
// the first in the highest bit. A last byte is filled up with zeros.
func Bits(v []float32) []byte {
	packed := make([]byte, (len(v)+7)/8)
	for i, x := range v {
		if x > 0 {
			packed[i/8] |= 0x80 >> (i % 8)
		}
	}
	return packed
}
