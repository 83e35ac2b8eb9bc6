package report

import (
	"github.com/paceline/paceline/internal/bench/record"
)

// chart is a drawing as data: what the PNG and the page both draw.
type chart struct {
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
	Figure
}

// doubtful says whether a figure of the chart failed its checks.
func (c chart) doubtful() bool {
	for _, s := range c.Series {
		for _, p := range s.Points {
			if p.Doubt != "" {
				return true
			}
		}
	}
	return false
}

// charts are the four of the comparison, for the given stacks.
func (x *index) charts(stacks []*record.Stack) []chart {
	return []chart{
		x.batchChart(stacks),
		x.concurrencyChart(stacks),
		x.memoryChart(stacks),
		x.efficiencyChart(stacks),
	}
}

func (x *index) batchChart(stacks []*record.Stack) chart {
	return chart{
		Key: "batch", Title: "Batch size and throughput",
		X: "texts a request", Y: "embeddings/s", Log2: true,
		Series: x.sweep(stacks, record.SweepBatchSize, batchAxis, func(*record.Stack) quantity { return throughput }),
	}
}

func (x *index) concurrencyChart(stacks []*record.Stack) chart {
	return chart{
		Key: "concurrency", Title: "Concurrency and throughput",
		X: "clients", Y: "embeddings/s", Log2: true,
		Series: x.sweep(stacks, record.SweepConcurrency, clientAxis, func(*record.Stack) quantity { return throughput }),
	}
}

func (x *index) memoryChart(stacks []*record.Stack) chart {
	return chart{
		Key: "memory", Title: "Text length and memory",
		X: "characters a text", Y: "MB of the server at its peak", Log2: true,
		Series: x.sweep(stacks, record.SweepTextLength, lengthAxis, func(*record.Stack) quantity { return peakMemory }),
	}
}

// efficiencyChart relates every batch size to the stack's own best.
func (x *index) efficiencyChart(stacks []*record.Stack) chart {
	c := chart{
		Key: "efficiency", Title: "Batching efficiency",
		X: "texts a request", Y: "% of the stack's best batch size", Log2: true, Bars: true,
	}
	for _, s := range x.batchChart(stacks).Series {
		best := 0.0
		for _, p := range s.Points {
			best = max(best, p.Value)
		}
		if best == 0 {
			continue
		}
		for i := range s.Points {
			s.Points[i].Figure = s.Points[i].scaled(100 / best)
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// latencyChart is the median latency over the clients, which no PNG shows.
func (x *index) latencyChart(stacks []*record.Stack) chart {
	return chart{
		Key: "latency", Title: "Concurrency and latency",
		X: "clients", Y: "p50, ms", Log2: true,
		Series: x.sweep(stacks, record.SweepConcurrency, clientAxis, func(*record.Stack) quantity { return latencyPercentile(0.5) }),
	}
}

func batchAxis(p point) float64  { return float64(p.BatchSize) }
func clientAxis(p point) float64 { return float64(p.Concurrency) }
func lengthAxis(p point) float64 { return float64(p.TextLength) }

// sweep makes a series of every stack that was measured in it.
func (x *index) sweep(stacks []*record.Stack, sweep record.Sweep, axis func(point) float64, q func(*record.Stack) quantity) []series {
	var list []series
	for i, s := range stacks {
		line := series{Name: s.Name, Index: i}
		for _, p := range x.points(s.Name, sweep) {
			if f := x.figure(s.Name, p, q(s)); f.Known() && axis(p) > 0 {
				line.Points = append(line.Points, chartPoint{axis(p), f})
			}
		}
		if len(line.Points) > 0 {
			list = append(list, line)
		}
	}
	return list
}
