package figures

import (
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
)

// Load is what a stack did under a load that only some runs ask for: an arrival rate,
// or one of MLPerf's scenarios.
type Load struct {
	Load       string     `json:"load"` // "1 text × 50 requests/s, poisson"
	Stack      string     `json:"stack"`
	Throughput Figure     `json:"throughput"` // embeddings/s
	Median     Percentile `json:"p50_latency"`
	P90        Percentile `json:"p90_latency"`
	Tail       Percentile `json:"p99_latency"`
}

// asked are the sweeps that a run measures only where it is told to.
var asked = []record.Sweep{record.SweepRate, record.SweepScenario, record.SweepGoodput}

// Swept says whether a run measured what every run does, or, being without a cell,
// failed to.
func (x *Index) Swept() bool {
	cells := x.Results.Cells
	return len(cells) == 0 || slices.ContainsFunc(cells, func(c record.Cell) bool { return !slices.Contains(asked, c.Sweep) })
}

// Loads lists the rates and scenarios with what every comparable stack did under them.
func (x *Index) Loads() []Load {
	var points []Point
	for _, s := range x.Comparable() {
		for _, sweep := range []record.Sweep{record.SweepRate, record.SweepScenario} {
			points = append(points, x.Points(s.Name, sweep)...)
		}
	}
	slices.SortFunc(points, comparePoints)
	var list []Load
	for _, p := range slices.Compact(points) {
		for _, s := range x.Comparable() {
			if cells := x.Cells[s.Name][p]; len(cells) > 0 {
				list = append(list, Load{loadName(p, cells[0]), s.Name, x.Figure(s.Name, p, Throughput),
					x.Percentile(s.Name, p, 0.5), x.Percentile(s.Name, p, 0.9), x.Percentile(s.Name, p, 0.99)})
			}
		}
	}
	return list
}

// loadName adds to a point what a rate's cells say of the requests' times and shapes.
func loadName(p Point, c *record.Cell) string {
	parts := []string{p.String(), c.Arrivals, c.Mix}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ", ")
}
