package kernel

import "math"

// Pattern says which keys a query sees, and what is added to their scores. Queries
// and keys are counted from the start of the sequence. The zero value is every key
// and nothing added; in any pattern a query sees itself.
type Pattern struct {
	Window int  // only keys with |query - key| <= Window; 0 is no limit
	Causal bool // only keys that do not come after the query
	// Bias has an odd number of elements, 2n-1 for sequences of up to n tokens;
	// element n-1 + key - query is added to a score, like it in units of base 2. nil
	// adds nothing.
	Bias []float32
}

// keys is the range of keys, low, …, high-1, that query sees among n.
func (p *Pattern) keys(query, n int) (low, high int) {
	high = n
	if p.Window > 0 {
		low, high = max(0, query-p.Window), min(n, query+p.Window+1)
	}
	if p.Causal {
		high = min(high, query+1)
	}
	return low, high
}

// queries is the range of queries, low, …, high-1, that see some of the keys from,
// …, to-1 among n.
func (p *Pattern) queries(from, to, n int) (low, high int) {
	high = n
	if p.Window > 0 {
		low, high = max(0, from-p.Window), min(n, to+p.Window)
	}
	if p.Causal {
		low = from
	}
	return low, high
}

// Pairs is how many pairs of a query and a key that it sees there are among n tokens.
func (p *Pattern) Pairs(n int) int {
	pairs := 0
	for query := range n {
		low, high := p.keys(query, n)
		pairs += high - low
	}
	return pairs
}

// IsFull tells whether the pattern leaves Attention as it is.
func (p *Pattern) IsFull() bool { return p.Window == 0 && !p.Causal && p.Bias == nil }

// AttentionIn is Attention under a pattern. Blocks of keys that a tile of queries
// does not see cost nothing, so a window makes the work linear in the length.
func (c *Core) AttentionIn(out, q, k, v Matrix, p *Pattern) {
	if p.IsFull() || q.Rows == 0 {
		c.Attention(out, q, k, v)
		return
	}
	c.grow(q.Rows, q.Cols)
	raceReadMatrix(q)
	raceReadMatrix(k)
	raceReadMatrix(v)
	raceWriteMatrix(out)
	height := c.attend.height()
	for from := 0; from < k.Rows; from += keyBlock {
		to := min(from+keyBlock, k.Rows)
		c.packKeys(k.RowRange(from, to))
		values := c.packValues(v.RowRange(from, to))
		low, high := p.queries(from, to, q.Rows)
		for row := low / height * height; row < high; row += height {
			end := min(row+height, q.Rows)
			c.attendSeen(out.RowRange(row, end), q.RowRange(row, end), values, row, from, to, k.Rows, p)
		}
	}
	c.set.vector.divide(out.Data, out.Rows, out.Cols, out.Stride, c.total)
}

// attendSeen adds the seen part of one block of keys, which are from, …, to-1 of n,
// to the results of one tile of queries, the first of which is
// query number first.
func (c *Core) attendSeen(out, q, values Matrix, first, from, to, n int, p *Pattern) {
	low, _ := p.keys(first, n)
	_, high := p.keys(first+q.Rows-1, n)
	start := low >= from // no query of the tile has seen an earlier block
	low = max(low-from, 0) / c.attend.cols * c.attend.cols
	high = min(high, to) - from
	if low >= high {
		return
	}
	stride := c.score(q, low, high)
	for r := range q.Rows {
		c.softenSeen(c.scores[r*stride:][:high-low], out.Row(r), first+r, from+low, n, p, start)
	}
	seen := values.RowRange(c.attend.steps(low), c.attend.steps(high))
	c.weighValues(out, seen, high-low, stride, start)
}

// softenSeen is soften for the keys that the query sees; the others, of which the
// first is key number from, weigh nothing.
func (c *Core) softenSeen(scores, out []float32, query, from, n int, p *Pattern, start bool) {
	low, high := p.keys(query, n)
	low = min(max(low-from, 0), len(scores))
	high = max(min(high-from, len(scores)), low)
	clear(scores[:low])
	clear(scores[high:])
	seen := scores[low:high]
	if p.Bias != nil && len(seen) > 0 {
		c.set.vector.add(seen, p.Bias[len(p.Bias)/2+from+low-query:][:len(seen)])
	}
	switch {
	case len(seen) > 0:
		c.soften(seen, out, query, start)
	case start: // what it sees comes in a later block
		c.largest[query], c.total[query] = float32(math.Inf(-1)), 0
	}
}
