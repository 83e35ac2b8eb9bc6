package cpu

import (
	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// precision is the arithmetic of each of a layer's products.
type precision struct{ qkv, output, up, down kernel.DType }

// precisionOf is what a dtype means for a layer. Int8's loss sits in the scores: so
// queries and keys, and values, which come out of the same product, are computed with
// 16 bits. On all-MiniLM-L6-v2 that halves the distance to float32's vectors.
func precisionOf(d kernel.DType, m *model.FFN) precision {
	p := precision{d, d, d, d}
	if d != kernel.Int8 {
		return p
	}
	p.qkv = kernel.Int16
	gelu := m.Activation == model.GELU || m.Activation == model.GELUTanh
	if gelu && m.Gate.Weight.IsZero() {
		p.down = kernel.Int8GELU
	}
	return p
}
