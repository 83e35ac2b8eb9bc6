package chart

import (
	"cmp"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/stat"
)

// tails are the percentiles that latency is drawn at.
var tails = []struct {
	name string
	p    float64
}{{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}

// Latency is the latency over the clients of a closed loop, a view a percentile. No
// PNG shows it.
func Latency(x *figures.Index, stacks []*record.Stack) []Chart {
	var views []Chart
	for _, tail := range tails {
		views = append(views, Chart{
			Key: "latency", Title: "Concurrency and latency", View: tail.name,
			X: "clients", Y: tail.name + " latency, ms", Log2: true,
			Series: sweep(x, stacks, record.SweepConcurrency, clientAxis, certified(tail.p)),
		})
	}
	return drawn(views)
}

// Rate is the latency over the arrival rate of an open loop: flat while a stack
// keeps up, steep where it does not. The tries of a goodput search are among its
// points, its confirmed rates are ruled in, and so is the latency asked for.
func Rate(x *figures.Index, stacks []*record.Stack) []Chart {
	var views []Chart
	for _, tail := range tails {
		c := Chart{
			Key: "rate", Title: "Arrival rate and latency", View: tail.name,
			X: "requests/s that arrive", Y: tail.name + " latency, ms", LogY: true,
		}
		for i, s := range stacks {
			line := Series{Name: s.Name, Index: i, Points: ratePoints(x, s, certified(tail.p))}
			if len(line.Points) > 0 {
				c.Series = append(c.Series, line)
			}
		}
		if c.Rules = goodputRules(stacks, tail.name); len(c.Series) > 0 {
			views = append(views, c)
		}
	}
	return views
}

// ratePoints are the points of all open loops of a stack, by rising rate.
func ratePoints(x *figures.Index, s *record.Stack, m measure) []Point {
	var list []Point
	for _, sweep := range []record.Sweep{record.SweepRate, record.SweepGoodput} {
		for _, p := range x.Points(s.Name, sweep) {
			if f := m(x, s, p); f.Known() && p.Rate > 0 {
				list = append(list, Point{p.Rate, f})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	// A rate that both hold is drawn once, as the sweep of rates has it.
	return slices.CompactFunc(list, func(a, b Point) bool { return a.X == b.X })
}

// goodputRules mark the bound on a percentile, once, and each stack's goodput.
func goodputRules(stacks []*record.Stack, tail string) []Rule {
	var rules []Rule
	for _, s := range stacks {
		if s.Goodput == nil {
			continue
		}
		if s.Goodput.Confirmed() {
			rules = append(rules, Rule{Name: s.Goodput.SLO, Stack: s.Name, X: s.Goodput.Rate})
		}
		for _, try := range s.Goodput.Tries[:min(1, len(s.Goodput.Tries))] {
			for _, b := range try.Bounds {
				if strings.HasPrefix(b.Bound, tail+"=") || strings.HasPrefix(b.Bound, tail+"<") {
					rules = append(rules, Rule{Name: b.Bound, Y: b.Limit * 1000})
				}
			}
		}
	}
	seen := map[Rule]bool{}
	return slices.DeleteFunc(rules, func(r Rule) bool { was := seen[r]; seen[r] = true; return was })
}

// percentileGrid is where the percentile plot has its points.
var percentileGrid = []float64{0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.9999}

// percentilesOf are the loads whose distribution is drawn.
var percentilesOf = []struct {
	view  string
	sweep record.Sweep
}{{"single texts", record.SweepOnline}, {"full batches", record.SweepConcurrency}, {"highest rate", record.SweepRate}, {"long load", record.SweepStress}}

const percentilesKey = "percentiles"

// Percentiles plots latency over 1/(1-p), a scale on which each step to the right is
// ten times as rare. A stack's line ends at the highest percentile that its
// requests certify.
func Percentiles(x *figures.Index, stacks []*record.Stack) []Chart {
	var views []Chart
	for _, of := range percentilesOf {
		c := Chart{Key: percentilesKey, Title: "Latency by percentile", View: of.view, X: "percentile of requests", Y: "latency, ms", LogX: true}
		for i, s := range stacks {
			if at, ok := x.Largest(s.Name, of.sweep); ok {
				if line := (Series{s.Name, i, distribution(x, s.Name, at)}); len(line.Points) > 0 {
					c.Series = append(c.Series, line)
				}
			}
		}
		views = append(views, c)
	}
	return drawn(views)
}

func distribution(x *figures.Index, stack string, at figures.Point) []Point {
	var points []Point
	ms, doubt := x.Pooled(stack, at)
	for _, p := range percentileGrid {
		// Below the median the rule applies to the other tail.
		if len(ms) >= stat.MinSamples(max(p, 0.5)) {
			v := stat.Percentile(ms, p)
			points = append(points, Point{1 / (1 - p), figures.Figure{
				Estimate: stat.Estimate{Value: v, Lo: v, Hi: v, N: 1}, Cell: at.String(), Doubt: doubt, From: x.Place(stack, at),
			}})
		}
	}
	return points
}

// drawn leaves out views that nothing was measured for, but keeps the first, which
// says so.
func drawn(views []Chart) []Chart {
	kept := slices.DeleteFunc(slices.Clone(views), func(c Chart) bool { return len(c.Series) == 0 })
	if len(kept) == 0 {
		return views[:1]
	}
	return kept
}
