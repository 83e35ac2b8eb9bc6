package bench

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
)

// speed is a stack's measured time for requests from one client.
type speed struct {
	perRequest float64 // seconds that a request costs beside its texts: the wire, a window that is waited for
	perText    float64 // seconds that a text adds
}

// newSpeed takes the times of a request of one text and of one of many.
func newSpeed(one, many float64, size int) speed {
	perText := many / float64(size)
	return speed{perRequest: max(0, one-perText), perText: perText}
}

// seconds estimates a slice: clients wait side by side, texts are embedded one
// after the other.
func (s speed) seconds(p Point, requests int) float64 {
	return s.perRequest*float64(requests)/float64(p.Concurrency) + s.perText*float64(requests*p.BatchSize)
}

// planned is a point with the requests of each repeat.
type planned struct {
	Point
	Requests int
	Repeats  int // the rounds it takes part in are those before this one
	Warmup   int // requests before the clock starts
	done     int // repeats that were measured
	cost     float64
}

// plan is what is left to do: in round r every cell with more than r repeats.
type plan struct {
	cells []planned
}

// newPlan spreads a budget in seconds (0: none) over the points: as many repeats
// as the effort asks for come first, longer slices second. What does not fit loses
// repeats, the dearest cells first, and at last the cell itself.
func newPlan(points []Point, speeds []speed, e Effort, budget float64) plan {
	stretch := e.Slice.Seconds()
	if budget > 0 {
		// total rises with the stretch; the largest that fits is found by bisection.
		low, high := 0.0, stretch
		for range 30 {
			if middle := (low + high) / 2; total(stretched(points, speeds, e, middle)) <= budget {
				low = middle
			} else {
				high = middle
			}
		}
		stretch = low
	}
	p := plan{cells: stretched(points, speeds, e, stretch)}
	if budget > 0 {
		p.fit(budget)
		p.fitOnline(budget)
	}
	return p
}

// fitOnline takes repeats of the online cell away where not even one slice a sweep
// fits beside them: a percentile that is not certified is better than a sweep of which
// nothing is known.
func (p *plan) fitOnline(budget float64) {
	for i := range p.cells {
		for c := &p.cells[i]; c.Sweep == record.SweepOnline && c.Repeats > 1 && total(p.cells) > budget; {
			c.Repeats--
		}
	}
}

// stretched gives each point the requests that take about that many seconds of a
// middling stack, and no fewer than the point needs to mean something.
func stretched(points []Point, speeds []speed, e Effort, seconds float64) []planned {
	cells := make([]planned, len(points))
	for i, p := range points {
		c := planned{Point: p, Repeats: e.Repeats}
		clients := p.Concurrency
		rounds := max(leastRounds(p, e), int(seconds/max(meanSeconds(speeds, p, clients), 1e-6)))
		const most = 1 << 16 // requests of a slice: its records stay within megabytes
		c.Requests = clients * min(rounds, max(1, most/clients))
		c.Warmup = max(1, c.Requests/warmupShare)
		for _, s := range speeds {
			c.cost += s.seconds(p, c.Requests) + s.seconds(c.warmup(), c.Warmup) + sliceOverhead
		}
		cells[i] = c
	}
	return cells
}

// sliceOverhead is what a slice takes beside its requests, in seconds: encoding
// them, samples, writing the records.
const sliceOverhead = 0.01

// Before each slice the stack is woken, which slept while others had their turn:
// by one request to so many timed ones, of no more texts than that takes.
const (
	warmupShare = 10
	warmupBatch = 4
)

// warmup is the load that wakes a stack for a point.
func (p Point) warmup() Point {
	p.BatchSize = min(p.BatchSize, warmupBatch)
	return p
}

// leastRounds is how many requests each client sends at the least: enough that 32
// texts pass, or eight requests, and that the online cell's percentile is certified.
func leastRounds(p Point, e Effort) int {
	rounds := min(8, 32/max(p.BatchSize*p.Concurrency, 1))
	if p.Sweep == record.SweepOnline {
		rounds = (e.onlineRequests() + p.Concurrency - 1) / p.Concurrency
	}
	return max(rounds, 1)
}

func meanSeconds(speeds []speed, p Point, requests int) float64 {
	sum := 0.0
	for _, s := range speeds {
		sum += s.seconds(p, requests)
	}
	return sum / float64(len(speeds))
}

// total is the cost of all repeats of all cells, in seconds.
func total(cells []planned) (sum float64) {
	for _, c := range cells {
		sum += c.cost * float64(c.Repeats)
	}
	return sum
}

// The repeats that cells keep before others lose more: those that can show a difference,
// a pair, one.
const (
	separable = 4
	pair      = 2
	alone     = 1
)

// fit takes repeats away until the rest costs no more than the budget, from the cell
// with the dearest slices first: from all cells down to what can show a difference, then
// from those beside the headline, so that the summary bears a comparison although the
// curves have single points, and only then from the headline. The online cell keeps all: together
// they certify its percentile. When every other cell is down to one, whole cells are
// given up; of every sweep one is kept whatever it costs, or the summary would have holes.
func (p *plan) fit(budget float64) {
	for _, step := range []struct {
		floor    int
		headline bool // of the headline's cells too
	}{{separable, true}, {pair, false}, {alone, false}, {pair, true}, {alone, true}} {
		p.cut(budget, func(c planned) bool { return c.done+c.Repeats > step.floor && (step.headline || !c.Headline) })
	}
	p.cut(budget, func(c planned) bool { return c.done > 0 || alternatives(p.cells, c.Sweep) > 1 })
}

// cut takes repeats from cells that may lose one, the dearest first, until the rest fits.
func (p *plan) cut(budget float64, may func(planned) bool) {
	for total(p.cells) > budget {
		i := dearest(p.cells, func(c planned) bool { return c.Repeats > 0 && c.Sweep != record.SweepOnline && may(c) })
		if i < 0 {
			return
		}
		p.cells[i].Repeats--
	}
}

// short lists the cells with fewer repeats than that.
func (p plan) short(repeats int) (list []string) {
	for _, c := range p.cells {
		if c.Repeats < repeats {
			list = append(list, fmt.Sprintf("%s: %d of %d", c.Point, c.Repeats, repeats))
		}
	}
	return list
}

// dearest finds the cell whose slices cost most among those that may lose one; -1: none.
func dearest(cells []planned, may func(planned) bool) int {
	best := -1
	for i, c := range cells {
		if may(c) && (best < 0 || c.cost > cells[best].cost) {
			best = i
		}
	}
	return best
}

// alternatives counts the cells of a sweep that were or will be measured.
func alternatives(cells []planned, sweep record.Sweep) (n int) {
	for _, c := range cells {
		if c.Sweep == sweep && (c.Repeats > 0 || c.done > 0) {
			n++
		}
	}
	return n
}

// measured is the plan as it was carried out.
func (p plan) measured() plan {
	cells := slices.Clone(p.cells)
	for i := range cells {
		cells[i].Repeats = cells[i].done
	}
	return plan{cells}
}

// rounds is the largest number of repeats.
func (p plan) rounds() (n int) {
	for _, c := range p.cells {
		n = max(n, c.Repeats)
	}
	return n
}

// String names a point and its sweep for messages.
func (p Point) String() string {
	switch p.Sweep {
	case record.SweepOffline:
		return "offline"
	case record.SweepTextLength:
		return english.Plural(p.TextLength, "character", "")
	case record.SweepOnline:
		return "online"
	case record.SweepRate:
		return fmt.Sprintf("%g requests/s", p.Rate)
	case record.SweepGoodput:
		return "goodput"
	case record.SweepScenario:
		return p.Scenario
	case record.SweepConcurrency:
		return fmt.Sprintf("concurrency %d, %s each", p.Concurrency, english.Plural(p.BatchSize, "text", ""))
	}
	return fmt.Sprintf("batch size %d", p.BatchSize)
}

// manifest is the plan as results.json keeps it.
func (p plan) manifest() any {
	list := make([]map[string]any, 0, len(p.cells))
	for _, c := range p.cells {
		list = append(list, map[string]any{
			"sweep": c.Sweep, "batch_size": c.BatchSize, "concurrency": c.Concurrency, "requests": c.Requests, "repeats": c.Repeats,
		})
	}
	return list
}
