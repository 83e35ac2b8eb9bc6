package cpu

import (
	"fmt"
	"math"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// weights is a model packed for one level, shared by all workers and read only.
type weights struct {
	dtype     kernel.DType // of the layers; what comes before and after them is float32
	embedding embedding
	layers    []layer
	final     norm
	dense     []dense
}

// layer is one transformer block.
type layer struct {
	preAttention, postAttention norm
	preFFN, postFFN             norm
	groups                      []headGroup
	output                      *kernel.Weights
	chunks                      []chunk
	activation                  kernel.Activation
}

// headGroup is a few heads whose queries, keys and values come out of one product,
// [queries | keys | values], and are used at once, while they are in a near cache.
type headGroup struct {
	qkv          *kernel.Weights
	first, heads int
}

// chunk is some of a feed-forward's inner columns: they are computed, used and
// forgotten before the next ones, so the inner activations stay in a near cache.
type chunk struct{ up, down *kernel.Weights }

type dense struct {
	linear     *kernel.Weights
	activation kernel.Activation
}

// groupColumns is how many columns of queries a head group has at least, if there
// are as many; chunkColumns is the width of a chunk.
const (
	groupColumns = 64
	chunkColumns = 384
)

var activations = map[model.Activation]kernel.Activation{
	model.Identity: kernel.Identity,
	model.GELU:     kernel.GELU,
	model.GELUTanh: kernel.GELUTanh,
	model.SiLU:     kernel.SiLU,
	model.ReLU:     kernel.ReLU,
	model.Tanh:     kernel.Tanh,
}

// pack reads every tensor once and lays it out for the set's level.
func pack(spec *model.Spec, tensors model.Tensors, set *kernel.Set, dtype kernel.DType) (*weights, error) {
	l := &loader{tensors: tensors, set: set, dtype: dtype}
	w := &weights{dtype: dtype, embedding: l.embedding(spec), final: l.norm(spec.FinalNorm, spec.Hidden)}
	for i := range spec.Layers {
		w.layers = append(w.layers, l.layer(spec, &spec.Layers[i]))
	}
	for _, d := range spec.Dense {
		m := l.linear(d.Linear)
		w.dense = append(w.dense, dense{set.Pack(m.weight, m.bias, kernel.Float32), activations[d.Activation]})
	}
	if l.err != nil {
		return nil, fmt.Errorf("loading the weights of a %s model: %w", spec.Family, l.err)
	}
	return w, nil
}

func (l *loader) layer(spec *model.Spec, m *model.Layer) layer {
	output := l.linear(m.Output)
	return layer{
		preAttention:  l.norm(m.PreAttention, spec.Hidden),
		postAttention: l.norm(m.PostAttention, spec.Hidden),
		preFFN:        l.norm(m.PreFFN, spec.Hidden),
		postFFN:       l.norm(m.PostFFN, spec.Hidden),
		groups:        l.headGroups(spec, m),
		output:        l.pack(output),
		chunks:        l.chunks(&m.FFN),
		activation:    activations[m.FFN.Activation],
	}
}

func (l *loader) pack(m linear) *kernel.Weights { return l.set.Pack(m.weight, m.bias, l.dtype) }

func (l *loader) headGroups(spec *model.Spec, m *model.Layer) []headGroup {
	dim := spec.HeadDim
	query, key, value := l.linear(m.Query), l.linear(m.Key), l.linear(m.Value)
	query.scale(float32(math.Log2E / math.Sqrt(float64(dim)))) // what kernel.Core.Attention expects
	var groups []headGroup
	for first := 0; first < spec.Heads; {
		heads := min(max(groupColumns/dim, 1), spec.Heads-first)
		from, to := first*dim, (first+heads)*dim
		fused := joinRows(query.rows(from, to), key.rows(from, to), value.rows(from, to))
		groups = append(groups, headGroup{qkv: l.pack(fused), first: first, heads: heads})
		first += heads
	}
	return groups
}

func (l *loader) chunks(m *model.FFN) []chunk {
	up, down := l.linear(m.Up), l.linear(m.Down)
	var chunks []chunk
	for from := 0; from < m.Up.Out; from += chunkColumns {
		to := min(from+chunkColumns, m.Up.Out)
		part := linear{weight: down.weight.ColumnRange(from, to)}
		if from == 0 {
			part.bias = down.bias // added once
		}
		chunks = append(chunks, chunk{up: l.pack(up.rows(from, to)), down: l.pack(part)})
	}
	return chunks
}

// rows is the part of the layer that computes outputs from, …, to-1.
func (m linear) rows(from, to int) linear {
	part := linear{weight: m.weight.RowRange(from, to)}
	if m.bias != nil {
		part.bias = m.bias[from:to]
	}
	return part
}

// scale multiplies the layer's outputs by factor.
func (m linear) scale(factor float32) {
	for i := range m.weight.Data {
		m.weight.Data[i] *= factor
	}
	for i := range m.bias {
		m.bias[i] *= factor
	}
}

// joinRows puts layers of the same inputs into one whose outputs follow each other.
func joinRows(parts ...linear) linear {
	var weight, bias []float32
	rows, cols := 0, parts[0].weight.Cols
	for _, p := range parts {
		weight = append(weight, p.weight.Data...)
		bias = append(bias, biasOrZeros(p)...)
		rows += p.weight.Rows
	}
	return linear{weight: kernel.NewMatrix(weight, rows, cols), bias: bias}
}

func biasOrZeros(m linear) []float32 {
	if m.bias == nil {
		return make([]float32, m.weight.Rows)
	}
	return m.bias
}
