package compare

import (
	"slices"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/stat"
)

// quantity is what two runs are compared in, at every point of some sweeps.
type quantity struct {
	name, unit    string
	lowerIsBetter bool
	difference    bool // the change is B - A in percentage points, not a ratio: it may be zero in A
	sweeps        []record.Sweep
	figure        func(x *figures.Index, stack string, p figures.Point) figures.Figure
}

var (
	timed = []record.Sweep{record.SweepOnline, record.SweepRate, record.SweepScenario, record.SweepStress}
	full  = []record.Sweep{record.SweepOffline, record.SweepConcurrency, record.SweepBatchSize, record.SweepOnline, record.SweepScenario, record.SweepStress}
)

// errorSweeps are those whose requests may fail.
var errorSweeps = slices.Concat(full, []record.Sweep{record.SweepRate})

var quantities = []quantity{
	{name: "throughput", unit: "embeddings/s", sweeps: full, figure: at(figures.Throughput)},
	{name: "p50", unit: "ms", lowerIsBetter: true, sweeps: timed, figure: percentile(0.5)},
	{name: "p95", unit: "ms", lowerIsBetter: true, sweeps: timed, figure: percentile(0.95)},
	{name: "p99", unit: "ms", lowerIsBetter: true, sweeps: timed, figure: percentile(0.99)},
	{name: "memory", unit: "MB", lowerIsBetter: true, sweeps: []record.Sweep{record.SweepTextLength}, figure: at(figures.PeakMemory)},
	{name: "efficiency", unit: "embeddings/CPU-s", sweeps: []record.Sweep{record.SweepConcurrency, record.SweepStress}, figure: at(figures.PerCPUSecond)},
	{name: "errors", unit: "% of requests", lowerIsBetter: true, difference: true, sweeps: errorSweeps, figure: failures},
}

func at(q figures.Quantity) func(*figures.Index, string, figures.Point) figures.Figure {
	return func(x *figures.Index, stack string, p figures.Point) figures.Figure { return x.Figure(stack, p, q) }
}

func percentile(wanted float64) func(*figures.Index, string, figures.Point) figures.Figure {
	return func(x *figures.Index, stack string, p figures.Point) figures.Figure {
		return figures.Certified(x.Percentile(stack, p, wanted))
	}
}

// failures is the share of requests that failed, in percent, over all repeats: also
// those that are not valid because of it.
func failures(x *figures.Index, stack string, p figures.Point) figures.Figure {
	f := figures.Figure{Cell: p.String()}
	for _, c := range x.Cells[stack][p] {
		if n := len(c.Requests.Outcome); n > 0 {
			f.Values = append(f.Values, 100*float64(n-figures.Succeeded(c))/float64(n))
		}
	}
	f.Estimate = stat.Median(f.Values)
	return f
}

func (q quantity) compare(x, y *figures.Index, stack, counterpart string, p figures.Point) (Change, bool) {
	a, b := q.figure(x, stack, p), q.figure(y, counterpart, p)
	if !a.Known() || !b.Known() || q.difference && a.Hi == 0 && b.Hi == 0 {
		return Change{}, false
	}
	_, chance := stat.MannWhitney(a.Values, b.Values)
	c := Change{Stack: stack, Sweep: p.Sweep, Cell: p.String(), Quantity: q.name, Unit: q.unit,
		A: a, B: b, Ratio: figures.Figure{Estimate: stat.Ratio(b.Values, a.Values)}, P: chance, difference: q.difference}
	c.Outcome = q.outcome(c)
	return c, true
}

func (q quantity) outcome(c Change) Outcome {
	switch {
	case !c.A.Sound() || !c.B.Sound():
		return Invalid
	case !stat.Separable(len(c.A.Values), len(c.B.Values)):
		return TooFew
	case !stat.Differs(c.A.Values, c.B.Values) || c.withinFloor():
		return NoDifference
	case c.less() == q.lowerIsBetter:
		return Better
	}
	return Worse
}

// floor is what a change between two runs must be beyond, as a share. The repeats of a
// run resemble each other more than they do those of a run an hour later: the room, the
// neighbours and the layout in memory changed in between, which no test on repeats can
// see. What a slice may drift by and be called steady, two runs may differ by.
const floor = stat.TrendFloor

// withinFloor says that the ratio's interval reaches into the floor.
func (c Change) withinFloor() bool {
	return c.Ratio.Known() && c.Ratio.Lo <= 1+floor && c.Ratio.Hi >= 1/(1+floor)
}

// less tells whether B lies below A, by the repeats that the difference was shown by: a
// percentile's own value is of all requests together and may lie on the other side.
func (c Change) less() bool {
	if c.Ratio.Known() {
		return c.Ratio.Value < 1
	}
	return c.B.Value < c.A.Value
}
