// Package figures turns raw records into numbers: the quantities of a cell, their
// medians over the repeats with confidence intervals, the rows of the summary table
// and rankings by them. All of it is a pure function of [record.Results].
//
// It knows no sentence, no layout and no file. A figure that failed its checks keeps
// the reason with it ([Figure.Doubt]); rankings leave it out.
//
// Units: times in milliseconds, memory in MB of 1,000,000 bytes, throughput in
// embeddings a second.
package figures

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/format"
)

// Point is one place of a sweep: the cells of one point differ in stack and
// repeat only.
type Point struct {
	Sweep       record.Sweep
	BatchSize   int
	Concurrency int
	TextLength  int
	Rate        float64
	Scenario    string
}

// PointOf is the place of its sweep at which a cell was measured.
func PointOf(c *record.Cell) Point {
	return Point{c.Sweep, c.BatchSize, c.Concurrency, c.TextLength, c.Rate, c.Scenario}
}

// String says what was sent: "1 text × 8 clients".
func (p Point) String() string {
	texts := english.Plural(p.BatchSize, "text", "")
	clients := english.Plural(p.Concurrency, "client", "")
	if p.Rate > 0 {
		clients = format.Number(p.Rate) + " requests/s"
	}
	if p.TextLength > 0 {
		return fmt.Sprintf("%s of %s × %s", texts, english.Plural(p.TextLength, "character", ""), clients)
	}
	if p.Scenario != "" {
		return p.Scenario + ", " + texts + " × " + clients
	}
	return texts + " × " + clients
}

func comparePoints(a, b Point) int {
	return cmp.Or(
		cmp.Compare(a.Sweep, b.Sweep),
		cmp.Compare(a.BatchSize, b.BatchSize),
		cmp.Compare(a.Concurrency, b.Concurrency),
		cmp.Compare(a.TextLength, b.TextLength),
		cmp.Compare(a.Rate, b.Rate),
		cmp.Compare(a.Scenario, b.Scenario),
	)
}

// Index finds the repeats of a stack at a point.
type Index struct {
	Results *record.Results
	Cells   map[string]map[Point][]*record.Cell
	Rows    map[string]Row // of the summary, by stack

	place map[*record.Cell]int // in Results.Cells
}

// NewIndex sorts the records and computes the summary's rows.
func NewIndex(r *record.Results) *Index {
	x := &Index{Results: r, Cells: map[string]map[Point][]*record.Cell{}, place: make(map[*record.Cell]int, len(r.Cells))}
	for i := range r.Cells {
		c := &r.Cells[i]
		x.place[c] = i
		if x.Cells[c.Stack] == nil {
			x.Cells[c.Stack] = map[Point][]*record.Cell{}
		}
		x.Cells[c.Stack][PointOf(c)] = append(x.Cells[c.Stack][PointOf(c)], c)
	}
	for _, points := range x.Cells {
		for _, cells := range points {
			slices.SortStableFunc(cells, func(a, b *record.Cell) int { return cmp.Compare(a.Repeat, b.Repeat) })
		}
	}
	x.Rows = make(map[string]Row, len(r.Stacks))
	for i := range r.Stacks {
		x.Rows[r.Stacks[i].Name] = x.row(&r.Stacks[i])
	}
	return x
}

// Points of a sweep that a stack was measured at, in rising order.
func (x *Index) Points(stack string, sweep record.Sweep) []Point {
	var list []Point
	for p := range x.Cells[stack] {
		if p.Sweep == sweep {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, comparePoints)
	return list
}

// Comparable lists the stacks that did the same work as the reference, in the
// order of the run: only they are ranked.
func (x *Index) Comparable() []*record.Stack {
	var list []*record.Stack
	for i := range x.Results.Stacks {
		if s := &x.Results.Stacks[i]; StatusOf(s) == Measured {
			list = append(list, s)
		}
	}
	return list
}

// Largest is the last point of a sweep, false when there is none.
func (x *Index) Largest(stack string, sweep record.Sweep) (Point, bool) {
	list := x.Points(stack, sweep)
	if len(list) == 0 {
		return Point{}, false
	}
	return list[len(list)-1], true
}

// Place lists where the valid repeats of a stack at a point are among the cells of
// results.json; when none is valid, where all of them are.
func (x *Index) Place(stack string, p Point) []int {
	cells, _ := Sift(x.Cells[stack][p])
	if len(cells) == 0 {
		cells = x.Cells[stack][p]
	}
	list := make([]int, len(cells))
	for i, c := range cells {
		list[i] = x.place[c]
	}
	return list
}
