package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/paceline/paceline/internal/bench/record"
)

// point is one place of a sweep: the cells of one point differ in stack and
// repeat only.
type point struct {
	Sweep       record.Sweep
	BatchSize   int
	Concurrency int
	TextLength  int
	Rate        float64
}

func pointOf(c *record.Cell) point {
	return point{c.Sweep, c.BatchSize, c.Concurrency, c.TextLength, c.Rate}
}

// String says what was sent: "1 text × 8 clients".
func (p point) String() string {
	texts := fmt.Sprintf("%d texts", p.BatchSize)
	if p.BatchSize == 1 {
		texts = "1 text"
	}
	clients := fmt.Sprintf("%d clients", p.Concurrency)
	if p.Concurrency == 1 {
		clients = "1 client"
	}
	if p.Rate > 0 {
		clients = fmt.Sprintf("%g requests/s", p.Rate)
	}
	if p.TextLength > 0 {
		return fmt.Sprintf("%s of %d characters × %s", texts, p.TextLength, clients)
	}
	return texts + " × " + clients
}

func comparePoints(a, b point) int {
	return cmp.Or(
		cmp.Compare(a.Sweep, b.Sweep),
		cmp.Compare(a.BatchSize, b.BatchSize),
		cmp.Compare(a.Concurrency, b.Concurrency),
		cmp.Compare(a.TextLength, b.TextLength),
		cmp.Compare(a.Rate, b.Rate),
	)
}

// index finds the repeats of a stack at a point.
type index struct {
	results *record.Results
	cells   map[string]map[point][]*record.Cell
	rows    map[string]Row // of the summary, by stack
}

func newIndex(r *record.Results) *index {
	x := &index{results: r, cells: map[string]map[point][]*record.Cell{}}
	for i := range r.Cells {
		c := &r.Cells[i]
		if x.cells[c.Stack] == nil {
			x.cells[c.Stack] = map[point][]*record.Cell{}
		}
		x.cells[c.Stack][pointOf(c)] = append(x.cells[c.Stack][pointOf(c)], c)
	}
	for _, points := range x.cells {
		for _, cells := range points {
			slices.SortStableFunc(cells, func(a, b *record.Cell) int { return cmp.Compare(a.Repeat, b.Repeat) })
		}
	}
	x.rows = make(map[string]Row, len(r.Stacks))
	for i := range r.Stacks {
		x.rows[r.Stacks[i].Name] = x.row(&r.Stacks[i])
	}
	return x
}

// points of a sweep that a stack was measured at, in rising order.
func (x *index) points(stack string, sweep record.Sweep) []point {
	var list []point
	for p := range x.cells[stack] {
		if p.Sweep == sweep {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, comparePoints)
	return list
}

// comparable lists the stacks that did the same work as the reference, in the
// order of the run: only they are ranked.
func (x *index) comparable() []*record.Stack {
	var list []*record.Stack
	for i := range x.results.Stacks {
		if s := &x.results.Stacks[i]; statusOf(s) == Measured {
			list = append(list, s)
		}
	}
	return list
}

// largest is the last point of a sweep, false when there is none.
func (x *index) largest(stack string, sweep record.Sweep) (point, bool) {
	list := x.points(stack, sweep)
	if len(list) == 0 {
		return point{}, false
	}
	return list[len(list)-1], true
}
