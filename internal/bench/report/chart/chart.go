// Package chart holds the drawings of a report as data, which the PNGs and the page
// share, and draws the PNGs.
package chart

import (
	"fmt"
	"math"
	"strconv"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"
)

// Chart is a drawing as data: what the PNG and the page both draw.
type Chart struct {
	Key    string // stable name
	Title  string
	View   string // what this one of several views of a title shows: "p99"
	X, Y   string // what the axes show, with units
	Log2   bool   // sizes that double lie equally far apart
	LogX   bool   // decades lie equally far apart
	LogY   bool   // likewise, upwards, until the reader switches it
	Bars   bool
	Series []Series
	Rules  []Rule
}

// Series is one stack's line or bars.
type Series struct {
	Name   string
	Index  int // of the stack among those drawn, which is its colour in every chart; -1: not ranked, grey
	Points []Point
}

// Rule is a line across the chart, at X or at Y; the other is 0.
type Rule struct {
	Name  string
	Stack string // whose it is; empty: everyone's
	X, Y  float64
}

// Point is a figure at a size.
type Point struct {
	X float64
	figures.Figure
}

// failed says that nothing succeeded there: the point is marked, but no line leads to
// it, since a size that is refused is not one that is served slowly.
func (p Point) failed() bool { return p.Doubt != "" && p.Value == 0 }

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

// Place is a place of the horizontal axis in words, as the axis itself has it.
func (c Chart) Place(x float64) string {
	switch {
	case c.Key == percentilesKey:
		return fmt.Sprintf("p%g", math.Round(1e6*(1-1/x))/1e4)
	case c.LogX:
		return format.Number(x)
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// Charts are the four of the comparison, for the given stacks.
func Charts(x *figures.Index, stacks []*record.Stack) []Chart {
	return []Chart{
		Batch(x, stacks),
		Concurrency(x, stacks),
		Memory(x, stacks),
		Efficiency(x, stacks),
	}
}

// Batch is the throughput of one client over the texts a request.
func Batch(x *figures.Index, stacks []*record.Stack) Chart {
	return Chart{
		Key: "batch", Title: "Batch size and throughput",
		X: "texts a request", Y: "embeddings/s", Log2: true,
		Series: sweep(x, stacks, record.SweepBatchSize, batchAxis, at(figures.Throughput)),
	}
}

// Concurrency is the throughput over the clients.
func Concurrency(x *figures.Index, stacks []*record.Stack) Chart {
	return Chart{
		Key: "concurrency", Title: "Concurrency and throughput",
		X: "clients", Y: "embeddings/s", Log2: true,
		Series: sweep(x, stacks, record.SweepConcurrency, clientAxis, at(figures.Throughput)),
	}
}

// Memory is the servers' peak over the length of the texts.
func Memory(x *figures.Index, stacks []*record.Stack) Chart {
	return Chart{
		Key: "memory", Title: "Text length and memory",
		X: "characters a text", Y: "MB of the server at its peak", Log2: true,
		Series: sweep(x, stacks, record.SweepTextLength, lengthAxis, at(figures.PeakMemory)),
	}
}

// Efficiency relates every batch size to the stack's own best.
func Efficiency(x *figures.Index, stacks []*record.Stack) Chart {
	c := Chart{
		Key: "efficiency", Title: "Batching efficiency",
		X: "texts a request", Y: "% of the stack's best batch size", Log2: true, Bars: true,
	}
	for _, s := range Batch(x, stacks).Series {
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

func batchAxis(p figures.Point) float64  { return float64(p.BatchSize) }
func clientAxis(p figures.Point) float64 { return float64(p.Concurrency) }
func lengthAxis(p figures.Point) float64 { return float64(p.TextLength) }

// measure is a figure of a stack at a point.
type measure func(x *figures.Index, s *record.Stack, p figures.Point) figures.Figure

// at is the median of a quantity over the repeats.
func at(q figures.Quantity) measure {
	return func(x *figures.Index, s *record.Stack, p figures.Point) figures.Figure { return x.Figure(s.Name, p, q) }
}

// certified is a percentile over all requests of the point, missing where they are
// too few for it.
func certified(p float64) measure {
	return func(x *figures.Index, s *record.Stack, at figures.Point) figures.Figure {
		return figures.Certified(x.Percentile(s.Name, at, p))
	}
}

// sweep makes a series of every stack that was measured in it.
func sweep(x *figures.Index, stacks []*record.Stack, sweep record.Sweep, axis func(figures.Point) float64, m measure) []Series {
	var list []Series
	for i, s := range stacks {
		line := Series{Name: s.Name, Index: i}
		for _, p := range x.Points(s.Name, sweep) {
			if f := m(x, s, p); f.Known() && axis(p) > 0 {
				line.Points = append(line.Points, Point{axis(p), f})
			}
		}
		if len(line.Points) > 0 {
			list = append(list, line)
		}
	}
	return list
}
