package chart

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/stat"
)

// leastDistance is where the scale of 1 - cosine begins: float32 tells no less.
const leastDistance = 1e-8

// Agreement is how far the vectors of the probe texts lie from the reference: the
// share of texts that are at most so far. Stacks that are not ranked are in it, in
// grey, since this is why they are not.
func Agreement(x *figures.Index, stacks []*record.Stack) Chart {
	c := Chart{Key: "agreement", Title: "Agreement with the reference", X: "1 − cosine", Y: "% of probe texts, at most so far", LogX: true,
		Rules: []Rule{{Name: "most that is comparable", X: 1e-3}}}
	for i := range x.Results.Stacks {
		s := &x.Results.Stacks[i]
		index := slices.Index(stacks, s)
		if points := cumulative(s.Agreement.Cosines); len(points) > 0 {
			c.Series = append(c.Series, Series{s.Name, index, points})
		}
	}
	return c
}

// cumulative is the distribution of 1 - cosine, in percent, at each of its steps.
func cumulative(cosines []float64) []Point {
	sorted := make([]float64, len(cosines))
	for i, c := range cosines {
		sorted[i] = max(1-c, leastDistance)
	}
	slices.Sort(sorted)
	var points []Point
	for i, distance := range sorted {
		if i+1 < len(sorted) && sorted[i+1] == distance {
			continue
		}
		v := 100 * float64(i+1) / float64(len(sorted))
		points = append(points, Point{distance, figures.Figure{
			Estimate: stat.Estimate{Value: v, Lo: v, Hi: v, N: 1}, Cell: fmt.Sprintf("%d of %s", i+1, english.Plural(len(sorted), "text", "")),
		}})
	}
	return points
}
