package cpu

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// Part is a part of a forward pass.
type Part string

// The parts, in the order of a layer. What one costs beside its products (a bias, a
// residual, GELU) is its own.
const (
	PartEmbeddings Part = "embeddings"
	PartEncode     Part = "encoding of inputs" // as a low precision's products want them
	PartHeads      Part = "queries, keys, values"
	PartAttention  Part = "attention"
	PartOutput     Part = "attention's output"
	PartUp         Part = "feed-forward up" // with the activation, and the gate
	PartDown       Part = "feed-forward down"
	PartNorms      Part = "norms"
)

// Parts lists them.
var Parts = []Part{PartEmbeddings, PartEncode, PartHeads, PartAttention, PartOutput, PartUp, PartDown, PartNorms}

// laps adds up the processor time of the parts of one worker's passes. nil: nobody asks.
type laps struct {
	last time.Duration
	took map[Part]time.Duration
}

// lap ends a part.
func (w *worker) lap(p Part) {
	if w.laps == nil {
		return
	}
	now := threadTime()
	w.laps.took[p] += now - w.laps.last
	w.laps.last = now
}

// PartProfile is what a part took.
type PartProfile struct {
	Part    Part    `json:"part"`
	Seconds float64 `json:"seconds"` // of processor time, a pass
	// Operations are the multiplications and additions of its products, a pass; 0 where
	// it has none.
	Operations float64 `json:"operations"`
	Shape      string  `json:"shape,omitempty"` // of one of its products, rows x inputs x outputs
}

// Profile is where the time of a pass goes: a block of equal sequences on one worker.
type Profile struct {
	Tokens    int           `json:"tokens"`    // of a sequence
	Sequences int           `json:"sequences"` // of the block
	Seconds   float64       `json:"seconds"`   // of processor time, a pass
	Peak      float64       `json:"peak"`      // float32 operations a second that the core reaches on registers, measured meanwhile
	Parts     []PartProfile `json:"parts"`
}

// Profile takes blocks of sequences of that many tokens through the model, for about
// as long as told. It needs no free worker, and disturbs none but by its load.
func (e *Engine) Profile(ctx context.Context, tokens int, during time.Duration) (Profile, error) {
	runtime.LockOSThread() // whose processor time it is
	defer runtime.UnlockOSThread()
	b := e.block(tokens)
	if err := e.check(b); err != nil {
		return Profile{}, err
	}
	w := newWorker(e.spec, e.set, e.weights)
	w.run(b, block{0, b.Len()}, &team{}) // sizes the scratch
	w.laps = &laps{took: map[Part]time.Duration{}}
	p := Profile{Tokens: tokens, Sequences: b.Len(), Peak: e.peak()}
	passes := 0
	for until := time.Now().Add(during); passes == 0 || time.Now().Before(until); passes++ {
		if err := ctx.Err(); err != nil {
			return Profile{}, err
		}
		w.laps.last = threadTime()
		w.run(b, block{0, b.Len()}, &team{})
		p.Peak = max(p.Peak, e.peak())
	}
	for _, part := range Parts {
		seconds := w.laps.took[part].Seconds() / float64(passes)
		operations, shape := e.weights.work(part, e.spec, b.Len(), tokens)
		p.Parts = append(p.Parts, PartProfile{part, seconds, operations, shape})
		p.Seconds += seconds
	}
	return p, nil
}

// block is a full block of sequences of that many tokens.
func (e *Engine) block(tokens int) *model.Batch {
	b := &model.Batch{}
	for n := range max(blockTokens/max(tokens, 1), 1) {
		ids := make([]int32, tokens)
		for i := range ids {
			ids[i] = int32((n*tokens + i) * 7919 % e.spec.Embedding.Vocab) // whichever: no value makes a product quicker
		}
		b.Append(ids, nil, 0, model.Output{Vector: make([]float32, e.spec.Dim())})
	}
	return b
}

// peak is how many float32 operations a second this thread reaches on registers, in
// some 100 microseconds.
func (e *Engine) peak() float64 {
	const turns = 8000
	began := threadTime()
	done := e.set.Peak(turns)
	return done / max(threadTime()-began, time.Microsecond).Seconds()
}

// work is how many multiplications and additions a part's products have in a pass of
// so many sequences of so many tokens, and the shape of one of them.
func (w *weights) work(p Part, spec *model.Spec, sequences, tokens int) (operations float64, shape string) {
	rows := sequences * tokens
	share := 1.0 // of the rows that a product multiplies
	product := func(m *kernel.Weights) {
		if m != nil {
			operations += 2 * share * float64(rows*m.In()*m.Out())
			shape = cmp.Or(shape, fmt.Sprintf("%dx%dx%d", rows, m.In(), m.Out()))
		}
	}
	for i := range w.layers {
		l := &w.layers[i]
		if _, one := rowPooled(spec, tokens, 0); one && spec.LayerMix == nil && i == len(w.layers)-1 && p != PartHeads {
			rows = sequences // see narrow
		}
		switch p {
		case PartHeads:
			for j := range l.groups {
				product(l.groups[j].qkv)
			}
		case PartAttention:
			operations += 4 * float64(sequences*l.pattern.Pairs(tokens)*spec.Heads*spec.HeadDim)
			shape = fmt.Sprintf("%dx%dx%d", tokens, spec.HeadDim, tokens)
		case PartOutput:
			product(l.output)
		case PartUp:
			share = l.expertShare()
			for _, c := range slices.Concat(l.feedForwards()...) {
				product(c.gate)
				product(c.up)
			}
		case PartDown:
			share = l.expertShare()
			for _, c := range slices.Concat(l.feedForwards()...) {
				product(c.down)
			}
		}
	}
	return operations, shape
}
