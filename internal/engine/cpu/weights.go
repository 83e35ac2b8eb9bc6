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
	widest    int         // columns of the widest head group or chunk
	biases    [][]float32 // of attention scores, per head; nil: none
	final     norm
	dense     []dense
	labels    classifier
	splade    splade
}

// layer is one transformer block.
type layer struct {
	preAttention, attentionResult, postAttention norm
	preFFN, ffnResult, postFFN                   norm
	queryNorm, keyNorm                           norm // of each head by itself

	pattern    kernel.Pattern
	rotary     *rotary // nil: none
	groups     []headGroup
	output     *kernel.Weights
	chunks     []chunk
	activation kernel.Activation
	experts    *experts // in place of chunks; nil: none
}

// isPlain tells whether queries see all keys, and both are used as they are projected.
func (l *layer) isPlain() bool {
	return l.pattern.IsFull() && l.rotary == nil && l.queryNorm.isIdentity() && l.keyNorm.isIdentity()
}

// feedForwards are the chunks of each that the layer has.
func (l *layer) feedForwards() [][]chunk {
	if l.experts == nil {
		return [][]chunk{l.chunks}
	}
	list := make([][]chunk, len(l.experts.each))
	for i := range list {
		list[i] = l.experts.each[i].chunks
	}
	return list
}

// headGroup is a few heads whose queries, keys and values come out of one product,
// [queries | keys | values], and are used at once, while they are in a near cache.
type headGroup struct {
	qkv          *kernel.Weights
	first, heads int // heads of queries
	keyHeads     int // heads of keys and values: as many, or a divisor of it
}

// chunk is some of a feed-forward's inner columns: they are computed, used and
// forgotten before the next ones, so the inner activations stay in a near cache.
type chunk struct {
	up, down *kernel.Weights
	gate     *kernel.Weights // nil: none
}

// width is how many columns of scratch the chunk takes.
func (c *chunk) width() int {
	if c.gate == nil {
		return c.up.Out()
	}
	return 2 * c.up.Out()
}

// dense is a step behind pooling. Without linear it is the norm alone.
type dense struct {
	linear     *kernel.Weights
	activation kernel.Activation
	sigmoid    bool // in place of the activation, which no kernel has
	norm       norm
}

// groupColumns is how many columns of queries a head group has at least, if there
// are as many; chunkColumns is the width of a chunk.
const (
	groupColumns = 64
	chunkColumns = 384
)

var activations = map[model.Activation]kernel.Activation{
	model.Identity:  kernel.Identity,
	model.GELU:      kernel.GELU,
	model.GELUTanh:  kernel.GELUTanh,
	model.SiLU:      kernel.SiLU,
	model.QuickGELU: kernel.QuickGELU,
	model.Mish:      kernel.Mish,
	model.ReLU:      kernel.ReLU,
	model.Tanh:      kernel.Tanh,
	model.Sigmoid:   kernel.Identity, // see dense
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
	load(func(l *loader) {
		w.embedding, w.final, w.biases = l.embedding(spec), l.norm(spec.FinalNorm, spec.Hidden), l.biases(spec)
	})
	for i := range spec.Layers {
		load(func(l *loader) { w.layers[i] = l.layer(spec, &spec.Layers[i]) })
	}
	load(func(l *loader) { w.dense, w.labels, w.splade = l.dense(spec), l.classifier(spec), l.splade(spec) })
	if err := work.Wait(); err != nil {
		w.arena.Free()
		return nil, fmt.Errorf("loading the weights of a %s model: %w", spec.Family, err)
	}
	w.finish(spec)
	return w, nil
}

// finish makes what depends on all layers at once.
func (w *weights) finish(spec *model.Spec) {
	bases := rotaries{half: spec.HeadDim / 2, shared: map[[2]float64]*rotary{}}
	for i := range w.layers {
		l, m := &w.layers[i], &spec.Layers[i]
		l.rotary = bases.of(m.RotaryTheta, m.RotaryDivisor)
		for j := range l.groups {
			w.widest = max(w.widest, l.groups[j].qkv.Out())
		}
		for _, chunks := range l.feedForwards() {
			for j := range chunks {
				w.widest = max(w.widest, chunks[j].width())
			}
		}
	}
}

func (l *loader) dense(spec *model.Spec) []dense {
	var list []dense
	width := len(spec.Pooling) * spec.Hidden
	for _, d := range spec.Dense {
		step := dense{activation: activations[d.Activation], sigmoid: d.Activation == model.Sigmoid}
		if d.Linear.Out > 0 {
			step.linear, width = l.packFloat32(d.Linear), d.Linear.Out
		}
		step.norm = l.norm(d.Norm, width)
		list = append(list, step)
	}
	return list
}

// packFloat32 is for what comes behind the layers.
func (l *loader) packFloat32(m model.Linear) *kernel.Weights {
	read := l.linear(m)
	return l.set.Pack(l.arena, read.weight, read.bias, kernel.Float32)
}

func (l *loader) layer(spec *model.Spec, m *model.Layer) layer {
	p := precisionOf(l.dtype, &m.FFN)
	list := layer{
		preAttention:    l.norm(m.PreAttention, spec.Hidden),
		attentionResult: l.norm(m.AttentionResult, spec.Hidden),
		postAttention:   l.norm(m.PostAttention, spec.Hidden),
		preFFN:          l.norm(m.PreFFN, spec.Hidden),
		ffnResult:       l.norm(m.FFNResult, spec.Hidden),
		postFFN:         l.norm(m.PostFFN, spec.Hidden),
		keyNorm:         l.norm(m.KeyNorm, spec.HeadDim),
		pattern:         pattern(m),
		output:          l.pack(l.linear(m.Output), p.output),
		activation:      activations[m.FFN.Activation],
	}
	if m.FFN.Experts.IsZero() {
		list.chunks = l.chunks(&m.FFN, p)
	} else {
		list.experts = l.experts(spec, &m.FFN.Experts)
	}
	query := l.linear(m.Query)
	if m.QueryNorm.IsZero() {
		query = query.scaledBy(queryScale(spec))
	} else {
		list.queryNorm = l.norm(m.QueryNorm, spec.HeadDim).scaledBy(queryScale(spec))
	}
	list.groups = l.headGroups(spec, p.qkv, query, l.linear(m.Key), l.linear(m.Value))
	return list
}

// queryScale is what kernel.Core.Attention expects queries to be multiplied by.
func queryScale(spec *model.Spec) float32 {
	if spec.ScoreScale != 0 {
		return float32(math.Log2E * spec.ScoreScale)
	}
	return float32(math.Log2E / math.Sqrt(float64(spec.HeadDim)))
}

func (l *loader) pack(m linear, d kernel.DType) *kernel.Weights {
	return l.set.Pack(l.arena, m.weight, m.bias, d)
}

// packBalanced packs the part of a layer that multiplies inputs times balance. nil: all.
func (l *loader) packBalanced(m linear, d kernel.DType, balance []float32) *kernel.Weights {
	if balance == nil {
		return l.pack(m, d)
	}
	return l.pack(linear{balanced{m.weight, balance}, m.bias}, d).Balanced(balance)
}

func (l *loader) headGroups(spec *model.Spec, d kernel.DType, query, key, value linear) []headGroup {
	dim, shared, balance := spec.HeadDim, spec.SharedBy(), balanceOf(d, value.weight)
	var groups []headGroup
	for first := 0; first < spec.Heads/shared; {
		n := min(max(groupColumns/(dim*shared), 1), spec.Heads/shared-first)
		from, to := first*dim, (first+n)*dim
		fused := join(query.rows(from*shared, to*shared), key.rows(from, to), value.rows(from, to))
		groups = append(groups, headGroup{qkv: l.packBalanced(fused, d, balance), first: first * shared, heads: n * shared, keyHeads: n})
		first += n
	}
	return groups
}

func (l *loader) chunks(m *model.FFN, p precision) []chunk {
	up, down := l.linear(m.Up), l.linear(m.Down)
	var chunks []chunk
	for from := 0; from < m.Up.Out; from += chunkColumns {
		to := min(from+chunkColumns, m.Up.Out)
		c := chunk{up: l.pack(up.rows(from, to), p.up), down: l.pack(down.columns(from, to), p.down)}
		if !m.Gate.Weight.IsZero() {
			c.gate = l.pack(l.linear(m.Gate).rows(from, to), p.up)
		}
		chunks = append(chunks, c)
	}
	return chunks
}
