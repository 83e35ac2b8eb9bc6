package cpu

import (
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// weights is a model packed for one level, shared by all workers and read only.
type weights struct {
	dtype     kernel.DType // of the layers; what comes before and after them is float32
	arena     *kernel.Arena
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

// pack reads every tensor once and lays it out for the set's level, a layer a
// goroutine on as many threads as there are.
func pack(spec *model.Spec, tensors model.Tensors, set *kernel.Set, dtype kernel.DType, threads int) (*weights, error) {
	w := &weights{dtype: dtype, arena: &kernel.Arena{}, layers: make([]layer, len(spec.Layers))}
	var work errgroup.Group
	work.SetLimit(threads)
	load := func(f func(l *loader)) {
		work.Go(func() error {
			l := &loader{tensors: tensors, set: set, dtype: dtype, arena: w.arena}
			f(l)
			return l.err
		})
	}
	load(func(l *loader) { w.embedding, w.final = l.embedding(spec), l.norm(spec.FinalNorm, spec.Hidden) })
	for i := range spec.Layers {
		load(func(l *loader) { w.layers[i] = l.layer(spec, &spec.Layers[i]) })
	}
	load(func(l *loader) { w.dense = l.dense(spec) })
	if err := work.Wait(); err != nil {
		w.arena.Free()
		return nil, fmt.Errorf("loading the weights of a %s model: %w", spec.Family, err)
	}
	return w, nil
}

func (l *loader) dense(spec *model.Spec) []dense {
	var list []dense
	for _, d := range spec.Dense {
		m := l.linear(d.Linear)
		list = append(list, dense{l.set.Pack(l.arena, m.weight, m.bias, kernel.Float32), activations[d.Activation]})
	}
	return list
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

func (l *loader) pack(m linear) *kernel.Weights {
	return l.set.Pack(l.arena, m.weight, m.bias, l.dtype)
}

func (l *loader) headGroups(spec *model.Spec, m *model.Layer) []headGroup {
	dim := spec.HeadDim
	query, key, value := l.linear(m.Query), l.linear(m.Key), l.linear(m.Value)
	query = query.scaledBy(float32(math.Log2E / math.Sqrt(float64(dim)))) // what kernel.Core.Attention expects
	var groups []headGroup
	for first := 0; first < spec.Heads; {
		heads := min(max(groupColumns/dim, 1), spec.Heads-first)
		from, to := first*dim, (first+heads)*dim
		fused := join(query.rows(from, to), key.rows(from, to), value.rows(from, to))
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
		chunks = append(chunks, chunk{up: l.pack(up.rows(from, to)), down: l.pack(down.columns(from, to))})
	}
	return chunks
}
