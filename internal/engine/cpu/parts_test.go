package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/kernel"
)

// parts adds up what the parts of a forward pass take.
type parts struct {
	last  time.Time
	took  map[string]time.Duration
	total time.Duration
}

// done ends a part.
func (p *parts) done(name string) {
	now := time.Now()
	p.took[name] += now.Sub(p.last)
	p.total += now.Sub(p.last)
	p.last = now
}

// BenchmarkParts tells where the time of a forward pass goes: a full block of
// sequences of one length with weights of MiniLM-L6's shape, on one worker, each part
// in percent of all. It steps through a layer as the worker does.
func BenchmarkParts(b *testing.B) {
	spec, tensors := randomModel(miniLM, 1)
	for _, o := range arithmetics(b)[1:] {
		o.Threads = 1
		e, err := New(spec, tensors, o)
		if err != nil {
			b.Fatal(err)
		}
		defer e.Close()
		for _, tokens := range []int{12, 32, 68, 128, 256} {
			lengths := make([]int, max(blockTokens/tokens, 1))
			for i := range lengths {
				lengths[i] = tokens
			}
			batch := randomBatch(rand.New(rand.NewPCG(1, 1)), spec, lengths...)
			b.Run(fmt.Sprintf("%s/%s/%d", o.Level, o.DType, tokens), func(b *testing.B) {
				w := newWorker(spec, e.set, e.weights)
				w.run(batch, block{0, batch.Len()}, &team{}) // sizes the scratch
				p := parts{last: time.Now(), took: map[string]time.Duration{}}
				for b.Loop() {
					p.last = time.Now()
					w.embed(batch, w.starts)
					p.done("embeddings")
					for i := range e.weights.layers {
						w.timeLayer(&e.weights.layers[i], &p)
					}
				}
				for name, d := range p.took {
					b.ReportMetric(100*d.Seconds()/p.total.Seconds(), "%"+name)
				}
				b.ReportMetric(float64(b.N*batch.Len())/p.total.Seconds(), "emb/s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// timeLayer is attention and feedForward of a post-norm layer, part by part.
func (w *worker) timeLayer(l *layer, p *parts) {
	s := &w.scratch
	w.prepare(&s.in, s.x, l.groups[0].qkv)
	p.done("encode")
	for i := range l.groups {
		g := &l.groups[i]
		qkv := s.heads(g.qkv.Out())
		w.core.Linear(qkv, &s.in, g.qkv, kernel.Identity)
		p.done("qkv")
		for n := range len(w.starts) - 1 {
			w.attendGroup(l, g, sequenceRows(qkv, w.starts, n), sequenceRows(s.context, w.starts, n))
		}
		p.done("attention")
	}
	w.prepare(&s.in, s.context, l.output)
	p.done("encode")
	w.core.LinearAdd(s.x, &s.in, l.output, s.x)
	p.done("output")
	w.normalize(&l.postAttention, s.x)
	p.done("norm")
	w.prepare(&s.in, s.x, l.chunks[0].up)
	p.done("encode")
	sum := s.x
	for i := range l.chunks {
		c := &l.chunks[i]
		inner := s.inner(c.up.Out())
		w.core.Linear(inner, &s.in, c.up, l.activation)
		p.done("up+gelu")
		w.prepare(&s.activated, inner, c.down)
		p.done("encode")
		w.core.LinearAdd(s.y, &s.activated, c.down, sum)
		p.done("down")
		sum = s.y
	}
	s.x, s.y = s.y, s.x
	w.normalize(&l.postFFN, s.x)
	p.done("norm")
}
