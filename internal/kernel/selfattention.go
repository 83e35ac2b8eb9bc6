package kernel

import "fmt"

// HeadGroup is a layer's heads whose queries, keys and values one product makes, in this
// order, Dim columns each.
type HeadGroup struct {
	Heads, KeyHeads int // as many queries share a key as there are heads for each key head
	Dim             int
}

// query, key and value are where a head's columns begin.
func (h HeadGroup) query(head int) int { return head * h.Dim }
func (h HeadGroup) key(head int) int   { return (h.Heads + head/(h.Heads/h.KeyHeads)) * h.Dim }
func (h HeadGroup) value(head int) int { return h.key(head) + h.KeyHeads*h.Dim }

func (h HeadGroup) columns(m Matrix, from int) Matrix { return m.ColumnRange(from, from+h.Dim) }

// attendFunc computes, for sequences of rows starts[s]-starts[0], …,
// starts[s+1]-starts[0]-1, dst = softmax(q·kᵀ)·v of one head, whose columns q, k and v
// begin in qkv or, where products are of blocks, in memory's x, of pairs of bfloat16.
type attendFunc func(memory *headMemory, dst, qkv Matrix, q, k, v int, starts []int32)

// longestAtOnce is how many keys a row of scores has at most where all are computed
// before any is weighed.
const longestAtOnce = 512

// headMemory is what an attendFunc lays out and computes in between.
type headMemory struct {
	x                                            Activations
	keys, values, scores, weights, out, inverses []float32
}

// Project computes a group's queries, keys and values for SelfAttention, x·Wᵀ + bias: in
// qkv, or rounded in memory of its own, for which qkv is then room.
func (c *Core) Project(qkv Matrix, x *Activations, w *Weights, starts []int32, h HeadGroup) {
	if c.attend.blocks == nil || c.attendWhole(starts, h) == nil {
		c.Linear(qkv, x, w, Identity)
	} else {
		c.narrowBlocks(&c.memory.x, qkv, x, w)
	}
}

// SelfAttention computes the attention of a group of heads over whole sequences, of
// which s has the rows starts[s]-starts[0], …, starts[s+1]-starts[0]-1, of what Project
// has just made of the same sequences. out has the heads' results side by side. The
// softmax is of base 2.
func (c *Core) SelfAttention(out, qkv Matrix, starts []int32, h HeadGroup) {
	attend := c.attendWhole(starts, h)
	if attend == nil {
		c.attendEach(out, qkv, starts, h)
		return
	}
	raceWriteMatrix(out)
	for head := range h.Heads {
		attend(&c.memory, h.columns(out, h.query(head)), qkv, h.query(head), h.key(head), h.value(head), starts)
	}
}

// attendWhole is what attends to sequences at once; nil: nothing does. A longer sequence
// than that takes is alone, so that how one is computed depends on its length only.
func (c *Core) attendWhole(starts []int32, h HeadGroup) attendFunc {
	n := longest(starts)
	if n > longestAtOnce && len(starts) > 2 {
		panic(fmt.Sprintf("kernel: a sequence of %d tokens beside others (more than %d are attended to alone)", n, longestAtOnce))
	}
	if n > longestAtOnce {
		return nil
	}
	return c.attend.whole[h.Dim]
}

func (c *Core) attendEach(out, qkv Matrix, starts []int32, h HeadGroup) {
	for s := range len(starts) - 1 {
		from, to := int(starts[s]-starts[0]), int(starts[s+1]-starts[0])
		rows, dst := qkv.RowRange(from, to), out.RowRange(from, to)
		for head := range h.Heads {
			query := h.query(head)
			c.Attention(h.columns(dst, query), h.columns(rows, query), h.columns(rows, h.key(head)), h.columns(rows, h.value(head)))
		}
	}
}

func longest(starts []int32) int {
	n := int32(0)
	for s := range len(starts) - 1 {
		n = max(n, starts[s+1]-starts[s])
	}
	return int(n)
}

// grow makes room for sequences of up to that many tokens, and heads whose sums over their
// columns take so many steps.
func (m *headMemory) grow(tokens, steps int) {
	if len(m.inverses) == 0 { // for int16, with a unit and four factors of each column of 64
		m.inverses = make([]float32, (tileRows+1)*blockElements+4*64)
	}
	room := func(x *[]float32, n int) {
		if len(*x) < n {
			*x = make([]float32, n)
		}
	}
	padded := roundUp(tokens, 2*tileRows)
	room(&m.keys, padded*steps)
	room(&m.values, padded*steps)
	room(&m.scores, padded*tileRows)
	room(&m.weights, padded*tileRows/2)
	room(&m.out, 2*tileRows*steps)
}
