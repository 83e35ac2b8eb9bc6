package cpu

import (
	"math"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// biases are what a model adds to attention scores for the distance between query
// and key: one kernel.Pattern.Bias a head. nil when it adds nothing.
func (l *loader) biases(spec *model.Spec) [][]float32 {
	var of func(distance, head int) float32
	switch b := &spec.RelativeBias; {
	case !b.Table.IsZero():
		table := l.matrix(b.Table, b.Buckets, spec.Heads)
		of = func(distance, head int) float32 { return table.Row(bucket(b, distance))[head] }
	case spec.Slopes != nil:
		of = func(distance, head int) float32 { return float32(-spec.Slopes[head] * math.Abs(float64(distance))) }
	default:
		return nil
	}
	last := spec.MaxPositions - 1 // the largest distance
	list := make([][]float32, spec.Heads)
	for head := range list {
		list[head] = make([]float32, 2*last+1)
		for i := range list[head] {
			list[head][i] = of(i-last, head) * math.Log2E // scores are of base 2
		}
	}
	return list
}

// bucket is model.RelativeBias's, for distance = key - query.
func bucket(b *model.RelativeBias, distance int) int {
	side, n := b.Buckets/2, -distance
	first := 0
	if n < 0 {
		first, n = side, -n
	}
	exact := side / 2
	if n < exact {
		return first + n
	}
	ratio := float32(math.Log(float64(float32(n)/float32(exact)))) / float32(math.Log(float64(b.MaxDistance)/float64(exact)))
	return first + min(exact+int(ratio*float32(side-exact)), side-1)
}

// pattern is which keys a layer's queries see, without a head's biases.
func pattern(m *model.Layer) kernel.Pattern {
	return kernel.Pattern{Window: m.Window, Causal: m.Causal}
}
