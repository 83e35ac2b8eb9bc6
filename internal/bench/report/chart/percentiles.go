package chart

import (
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/stat"
)

// percentileGrid is where the percentile plot has its points.
var percentileGrid = []float64{0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999}

// PercentileChart plots the latency of the online cell over 1/(1-p), a scale on
// which each step to the right is ten times as rare. A stack's line ends at the
// highest percentile that its requests certify.
func PercentileChart(x *figures.Index, stacks []*record.Stack) Chart {
	c := Chart{
		Key: "percentiles", Title: "Latency by percentile",
		X: "percentile of requests", Y: "latency, ms",
	}
	for i, s := range stacks {
		at, ok := x.Largest(s.Name, record.SweepOnline)
		if !ok {
			continue
		}
		line := series{Name: s.Name, Index: i}
		ms, doubt := x.Pooled(s.Name, at)
		for _, p := range percentileGrid {
			// Below the median the rule applies to the other tail.
			if len(ms) >= stat.MinSamples(max(p, 0.5)) {
				v := stat.Percentile(ms, p)
				line.Points = append(line.Points, chartPoint{1 / (1 - p), figures.Figure{
					Estimate: stat.Estimate{Value: v, Lo: v, Hi: v, N: 1}, Cell: at.String(), Doubt: doubt,
				}})
			}
		}
		if len(line.Points) > 0 {
			c.Series = append(c.Series, line)
		}
	}
	return c
}
