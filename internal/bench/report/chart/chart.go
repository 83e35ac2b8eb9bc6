// Package chart holds the drawings of a report as data, which the PNGs and the page
// share, and draws the PNGs.
package chart

import (
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
)

// Chart is a drawing as data: what the PNG and the page both draw.
type Chart struct {
	Key    string // stable name
	Title  string
	X, Y   string // what the axes show, with units
	Log2   bool   // sizes that double lie equally far apart
	Bars   bool
	Series []series
}

type series struct {
	Name   string
	Index  int // of the stack among those drawn, which is its colour in every chart
	Points []chartPoint
}

// chartPoint is a figure at a size.
type chartPoint struct {
	X float64
	figures.Figure
}

// doubtful says whether a figure of the chart failed its checks.
func (c Chart) doubtful() bool {
	for _, s := range c.Series {
		for _, p := range s.Points {
			if p.Doubt != "" {
				return true
			}
		}
	}
	return false
}

// Charts are the four of the comparison, for the given stacks.
func Charts(x *figures.Index, stacks []*record.Stack) []Chart {
	return []Chart{
		batchChart(x, stacks),
		concurrencyChart(x, stacks),
		memoryChart(x, stacks),
		efficiencyChart(x, stacks),
	}
}

func batchChart(x *figures.Index, stacks []*record.Stack) Chart {
	return Chart{
		Key: "batch", Title: "Batch size and throughput",
		X: "texts a request", Y: "embeddings/s", Log2: true,
		Series: sweep(x, stacks, record.SweepBatchSize, batchAxis, func(*record.Stack) figures.Quantity { return figures.Throughput }),
	}
}

func concurrencyChart(x *figures.Index, stacks []*record.Stack) Chart {
	return Chart{
		Key: "concurrency", Title: "Concurrency and throughput",
		X: "clients", Y: "embeddings/s", Log2: true,
		Series: sweep(x, stacks, record.SweepConcurrency, clientAxis, func(*record.Stack) figures.Quantity { return figures.Throughput }),
	}
}

func memoryChart(x *figures.Index, stacks []*record.Stack) Chart {
	return Chart{
		Key: "memory", Title: "Text length and memory",
		X: "characters a text", Y: "MB of the server at its peak", Log2: true,
		Series: sweep(x, stacks, record.SweepTextLength, lengthAxis, func(*record.Stack) figures.Quantity { return figures.PeakMemory }),
	}
}

// efficiencyChart relates every batch size to the stack's own best.
func efficiencyChart(x *figures.Index, stacks []*record.Stack) Chart {
	c := Chart{
		Key: "efficiency", Title: "Batching efficiency",
		X: "texts a request", Y: "% of the stack's best batch size", Log2: true, Bars: true,
	}
	for _, s := range batchChart(x, stacks).Series {
		best := 0.0
		for _, p := range s.Points {
			best = max(best, p.Value)
		}
		if best == 0 {
			continue
		}
		for i := range s.Points {
			s.Points[i].Figure = s.Points[i].Scaled(100 / best)
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// LatencyChart is the median latency over the clients, which no PNG shows.
func LatencyChart(x *figures.Index, stacks []*record.Stack) Chart {
	return Chart{
		Key: "latency", Title: "Concurrency and latency",
		X: "clients", Y: "p50, ms", Log2: true,
		Series: sweep(x, stacks, record.SweepConcurrency, clientAxis, func(*record.Stack) figures.Quantity { return figures.LatencyPercentile(0.5) }),
	}
}

func batchAxis(p figures.Point) float64  { return float64(p.BatchSize) }
func clientAxis(p figures.Point) float64 { return float64(p.Concurrency) }
func lengthAxis(p figures.Point) float64 { return float64(p.TextLength) }

// sweep makes a series of every stack that was measured in it.
func sweep(x *figures.Index, stacks []*record.Stack, sweep record.Sweep, axis func(figures.Point) float64, q func(*record.Stack) figures.Quantity) []series {
	var list []series
	for i, s := range stacks {
		line := series{Name: s.Name, Index: i}
		for _, p := range x.Points(s.Name, sweep) {
			if f := x.Figure(s.Name, p, q(s)); f.Known() && axis(p) > 0 {
				line.Points = append(line.Points, chartPoint{axis(p), f})
			}
		}
		if len(line.Points) > 0 {
			list = append(list, line)
		}
	}
	return list
}
