package cpu

import (
	"math"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// experts are several feed-forwards of which each token passes a few.
type experts struct {
	router *kernel.Weights // float32: a token goes the same way in every dtype
	each   []expert
	top    int
	bias   []float32
}

type expert struct {
	chunks     []chunk
	activation kernel.Activation
}

func (l *loader) experts(spec *model.Spec, m *model.Experts) *experts {
	e := &experts{router: l.packFloat32(m.Router), top: m.Top, bias: make([]float32, spec.Hidden)}
	if !m.Bias.IsZero() {
		e.bias = l.vector(m.Bias, spec.Hidden)
	}
	for i := range m.Each {
		f := &m.Each[i]
		e.each = append(e.each, expert{l.chunks(f, precisionOf(l.dtype, f)), activations[f.Activation]})
	}
	return e
}

// expertShare is how much of a block an expert gets on average; 1 where there are none.
func (l *layer) expertShare() float64 {
	if l.experts == nil {
		return 1
	}
	return float64(l.experts.top) / float64(len(l.experts.each))
}

// routing is which of a block's tokens go to which experts.
type routing struct {
	x       kernel.Matrix // what the experts read
	logits  []float32
	chosen  []bool    // of each token and expert
	places  []place   // expert by expert
	first   []int     // an expert's first place; behind the last one's, their number
	results []float32 // a row a place: what the expert makes of the token

	inputs []float32 // one expert's tokens, side by side
}

// place is one token at one expert.
type place struct {
	token  int
	weight float32
}

// mixture computes y = sum + Bias + what each token's experts make of x, times their
// weights. A token's sum runs in the order of the experts, so it is the same whatever
// other tokens there are.
func (w *worker) mixture(l *layer, x kernel.Matrix) {
	s, r := &w.scratch, &w.scratch.routing
	w.route(l.experts, x)
	r.results = resize(r.results, len(r.places)*x.Cols)
	w.team.share(len(l.experts.each), expertTask)
	y, sum := s.y, w.residual(l)
	for i := range y.Rows {
		row := y.Row(i)
		copy(row, l.experts.bias)
		if sum.Data != nil {
			w.set.Add(row, sum.Row(i))
		}
	}
	for n, p := range r.places {
		row := y.Row(p.token)
		for j, v := range r.results[n*x.Cols : (n+1)*x.Cols] {
			row[j] += p.weight * v
		}
	}
	w.lap(PartDown)
}

// route fills the worker's routing.
func (w *worker) route(e *experts, x kernel.Matrix) {
	s, n := &w.scratch, len(e.each)
	r := &s.routing
	r.x = x
	r.logits = resize(r.logits, x.Rows*n)
	r.chosen = resize(r.chosen, x.Rows*n)
	clear(r.chosen)
	logits := kernel.NewMatrix(r.logits, x.Rows, n)
	w.set.Prepare(&s.in, x, kernel.Float32)
	w.core.Linear(logits, &s.in, e.router, kernel.Identity)
	for i := range x.Rows {
		soften(logits.Row(i))
		for range e.top {
			choose(r.chosen[i*n:(i+1)*n], logits.Row(i))
		}
	}
	r.places, r.first = r.places[:0], r.first[:0]
	for j := range n {
		r.first = append(r.first, len(r.places))
		for i := range x.Rows {
			if r.chosen[i*n+j] {
				r.places = append(r.places, place{i, r.logits[i*n+j]})
			}
		}
	}
	r.first = append(r.first, len(r.places))
	w.lap(PartUp)
}

// soften replaces logits by their softmax.
func soften(logits []float32) {
	largest, sum := logits[0], 0.0
	for _, v := range logits {
		largest = max(largest, v)
	}
	for _, v := range logits {
		sum += math.Exp(float64(v - largest))
	}
	for i, v := range logits {
		logits[i] = float32(math.Exp(float64(v-largest)) / sum)
	}
}

// choose marks the largest weight that is not marked yet, the first of equal ones.
func choose(chosen []bool, weights []float32) {
	best := -1
	for i, v := range weights {
		if !chosen[i] && (best < 0 || v > weights[best]) {
			best = i
		}
	}
	chosen[best] = true
}

// expertTask computes the results of one expert.
func expertTask(lead, me *worker, i int) {
	e, r := &lead.layer.experts.each[i], &lead.scratch.routing
	places := r.places[r.first[i]:r.first[i+1]]
	if len(places) == 0 {
		return
	}
	if me != lead {
		me.scratch.prepare(me.spec, me.weights.widest, lead.scratch.rows)
	}
	width, mine := r.x.Cols, &me.scratch.routing
	mine.inputs = resize(mine.inputs, len(places)*width)
	inputs := kernel.NewMatrix(mine.inputs, len(places), width)
	for n, p := range places {
		copy(inputs.Row(n), r.x.Row(p.token))
	}
	me.prepare(&me.scratch.in, inputs, e.chunks[0].up)
	results := kernel.NewMatrix(r.results[r.first[i]*width:], len(places), width)
	me.chunkFeedForward(results, kernel.Matrix{}, e.chunks, e.activation)
}
