package cpu

import "github.com/paceline/paceline/internal/kernel"

// attend computes
//
//	context = Attention(PreAttention(x))
func (w *worker) attend(l *layer) {
	w.prepare(&w.scratch.in, w.normalized(&l.preAttention), l.groups[0].qkv)
	w.team.share(len(l.groups), groupTask)
}

// output computes
//
//	x = PostAttention(x + AttentionResult(Output(context)))
func (w *worker) output(l *layer) {
	s := &w.scratch
	w.prepare(&s.in, s.context, l.output)
	w.split(l.output.Out())
	w.team.share(w.tasksOf(l.output), outputTask)
	w.lap(PartOutput)
	if !l.attentionResult.isIdentity() {
		w.addNormalized(&l.attentionResult)
	}
	w.normalize(&l.postAttention, s.x)
}

// groupTask computes one head group's columns of the context.
func groupTask(lead, me *worker, i int) {
	l, g := lead.layer, &lead.layer.groups[i]
	if me != lead {
		me.scratch.prepare(me.spec, me.weights.widest, lead.scratch.rows)
	}
	qkv := me.scratch.heads(g.qkv.Out())
	if l.isPlain() && me.weights.biases == nil {
		me.attendPlain(lead, g, qkv)
		return
	}
	me.core.Linear(qkv, &lead.scratch.in, g.qkv, kernel.Identity)
	me.lap(PartHeads)
	for n := range len(lead.starts) - 1 {
		me.attendGroup(l, g, sequenceRows(qkv, lead.starts, n), sequenceRows(lead.scratch.context, lead.starts, n))
	}
	me.lap(PartAttention)
}

// attendPlain is the rest of groupTask for layers whose queries and keys are used as they are.
func (w *worker) attendPlain(lead *worker, g *headGroup, qkv kernel.Matrix) {
	dim := w.spec.HeadDim
	heads := kernel.HeadGroup{Heads: g.heads, KeyHeads: g.keyHeads, Dim: dim}
	w.core.Project(qkv, &lead.scratch.in, g.qkv, lead.starts, heads)
	w.lap(PartHeads)
	w.core.SelfAttention(lead.scratch.context.ColumnRange(g.first*dim, (g.first+g.heads)*dim), qkv, lead.starts, heads)
	w.lap(PartAttention)
}

// outputTask computes a few columns of what attention adds to x: in x itself, or
// aside where a norm comes between.
func outputTask(lead, me *worker, i int) {
	l, s := lead.layer, &lead.scratch
	part, from := lead.partOf(l.output, i)
	to := from + part.Out()
	if x := s.x.ColumnRange(from, to); l.attentionResult.isIdentity() {
		me.core.LinearAdd(x, &s.in, &part, x)
	} else {
		me.core.Linear(s.y.ColumnRange(from, to), &s.in, &part, kernel.Identity)
	}
}

// attendGroup fills the columns of out that belong to the group's heads, for one
// sequence whose queries, keys and values are the columns of qkv.
func (w *worker) attendGroup(l *layer, g *headGroup, qkv, out kernel.Matrix) {
	dim := w.spec.HeadDim
	column := func(m kernel.Matrix, head int) kernel.Matrix { return m.ColumnRange(head*dim, (head+1)*dim) }
	shared := g.heads / g.keyHeads
	pattern := l.pattern
	for k := range g.keyHeads {
		key, value := column(qkv, g.heads+k), column(qkv, g.heads+g.keyHeads+k)
		w.place(&l.keyNorm, l.rotary, key)
		for h := k * shared; h < (k+1)*shared; h++ {
			query := column(qkv, h)
			w.place(&l.queryNorm, l.rotary, query)
			if w.weights.biases != nil {
				pattern.Bias = w.weights.biases[g.first+h]
			}
			w.core.AttentionIn(column(out, g.first+h), query, key, value, &pattern)
		}
	}
}

// place normalises one head's queries or keys and turns them to their positions.
func (w *worker) place(n *norm, r *rotary, x kernel.Matrix) {
	w.normalize(n, x)
	if r != nil {
		a := r.upTo(x.Rows)
		w.set.Rotate(x, a.cos, a.sin)
	}
}

// addNormalized computes x += norm(y).
func (w *worker) addNormalized(n *norm) {
	s := &w.scratch
	w.normalize(n, s.y)
	w.set.Add(s.x.Data, s.y.Data)
}
