package cpu

import "github.com/paceline/paceline/internal/kernel"

// How a layer's products are cut into tasks for a team.

// leastColumns is how few columns of a product make a task: a multiple of every
// level's panels.
const leastColumns = 64

// tasksEach is how many tasks of a product there are for each of a team: few, since a
// product asks for the weights behind the columns it is at, which are of use only if
// they are its own; more than one, lest all wait for whoever is last.
const tasksEach = 4

// split chooses how many columns each task of the present step has, of a product of so
// many in all.
func (w *worker) split(columns int) {
	tasks := 1
	if hands := int(w.team.hands.Load()); hands > 0 {
		tasks = tasksEach * (1 + hands)
	}
	w.columns = ceilDiv(ceilDiv(columns, tasks), leastColumns) * leastColumns
}

func ceilDiv(n, by int) int { return (n + by - 1) / by }

// tasksOf is how many tasks of the present step a product has.
func (w *worker) tasksOf(m *kernel.Weights) int { return ceilDiv(m.Out(), w.columns) }

// partOf is task i's part of a product, and its first column.
func (w *worker) partOf(m *kernel.Weights, i int) (part kernel.Weights, from int) {
	from = i * w.columns
	return m.Columns(from, min(from+w.columns, m.Out())), from
}

// leastWork is how many multiplications and additions of a block's products are
// worth waking another core for: some ten microseconds of one's own.
const leastWork = 4e6

// hands returns how many hands beside its own worker's a block has use for: enough
// that each gets two tasks of the narrowest product.
func (w *weights) hands(tokens int) int {
	if len(w.layers) == 0 {
		return 0
	}
	l, width := &w.layers[0], 0
	for _, c := range l.feedForwards()[0] {
		width += c.up.Out()
	}
	if l.experts != nil {
		width *= l.experts.top
	}
	work := 4 * tokens * len(w.layers) * l.output.Out() * (2*l.output.In() + width)
	if work < leastWork {
		return 0
	}
	return max(l.output.Out()/leastColumns/2-1, 1)
}

// shareFeedForward computes all inner values before it uses any, so that both
// products fall into tasks of a few columns. Values that are not rounded where they are
// made are encoded in a step of their own. Sums run over the chunks in the order of
// chunkFeedForward: the result is the same.
func (w *worker) shareFeedForward(l *layer) {
	s := &w.scratch
	inner := 0
	for i := range l.chunks {
		inner += l.chunks[i].up.Out()
	}
	w.split(inner)
	tasks := 0
	for i := range l.chunks {
		tasks += w.tasksOf(l.chunks[i].up)
	}
	s.growChunks(len(l.chunks))
	if w.rounded = w.rounds(l); w.rounded {
		for i := range l.chunks {
			w.set.Reserve(&s.chunks[i].activated, s.rows, l.chunks[i].up)
		}
	} else {
		s.prepareShared(l.chunks)
	}
	w.team.share(tasks, upTask)
	if !w.rounded {
		w.team.share(len(l.chunks), encodeTask)
	}
	w.split(s.y.Cols)
	w.team.share(w.tasksOf(l.chunks[0].down), downTask)
}

// rounds tells whether all inner values can be made as the down products want them.
func (w *worker) rounds(l *layer) bool {
	for i := range l.chunks {
		if c := &l.chunks[i]; c.gate != nil || !w.set.Rounds(c.up, l.activation, c.down) {
			return false
		}
	}
	return true
}

// upTask computes a few of a chunk's inner columns.
func upTask(lead, me *worker, i int) {
	l, s := lead.layer, &lead.scratch
	n := 0
	for ; i >= lead.tasksOf(l.chunks[n].up); n++ {
		i -= lead.tasksOf(l.chunks[n].up)
	}
	part, from := lead.partOf(l.chunks[n].up, i)
	if lead.rounded {
		me.core.LinearInto(&s.chunks[n].activated, from, &s.in, &part, l.activation)
		return
	}
	inner := s.chunks[n].inner.ColumnRange(from, from+part.Out())
	me.core.Linear(inner, &s.in, &part, l.activation)
	if l.chunks[n].gate != nil {
		gate := l.chunks[n].gate.Columns(from, from+part.Out())
		me.gatePart(inner, &gate, &s.in)
	}
}

// gatePart multiplies some of a chunk's inner columns by their gate.
func (w *worker) gatePart(inner kernel.Matrix, gate *kernel.Weights, in *kernel.Activations) {
	w.scratch.gates = resize(w.scratch.gates, inner.Rows*gate.Out())
	g := kernel.NewMatrix(w.scratch.gates, inner.Rows, gate.Out())
	w.core.Linear(g, in, gate, kernel.Identity)
	w.set.Multiply(inner, g)
}

// encodeTask prepares one chunk's inner values for the product that uses them.
func encodeTask(lead, me *worker, i int) {
	c := &lead.scratch.chunks[i]
	me.prepare(&c.activated, c.inner, lead.layer.chunks[i].down)
}

// downTask sums a few columns of the result up, chunk by chunk.
func downTask(lead, me *worker, i int) {
	l, s := lead.layer, &lead.scratch
	sum := lead.residual(l)
	for n := range l.chunks {
		part, from := lead.partOf(l.chunks[n].down, i)
		y := s.y.ColumnRange(from, from+part.Out())
		if sum.Data != nil {
			sum = sum.ColumnRange(from, from+part.Out())
		}
		me.accumulate(y, &s.chunks[n].activated, &part, sum)
		sum = s.y
	}
}
