// Package compare sets one run against another: what changed, whether the statistics
// show it, and whether it goes beyond a limit.
package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"
)

// Outcome says what happened to a figure between two runs.
type Outcome string

// The outcomes of a comparison.
const (
	Better       Outcome = "better"
	Worse        Outcome = "worse"
	NoDifference Outcome = "no difference shown"
	TooFew       Outcome = "not shown: too few repeats"
	Invalid      Outcome = "not valid in one of the runs"
)

// Change is a figure of one stack at one point, in two runs.
type Change struct {
	Stack    string         `json:"stack"`
	Sweep    record.Sweep   `json:"sweep"`
	Cell     string         `json:"cell"`
	Quantity string         `json:"quantity"` // throughput, p50, p95, memory
	Unit     string         `json:"unit"`
	A        figures.Figure `json:"a"`
	B        figures.Figure `json:"b"`
	Ratio    figures.Figure `json:"ratio"` // B over A
	P        float64        `json:"p"`     // of Mann-Whitney
	Outcome  Outcome        `json:"outcome"`

	difference bool // in percentage points
}

// Percent is by how much B's median quotient to A differs from one, in percent; of
// errors, by how many percentage points B's share is above A's.
func (c Change) Percent() float64 {
	if c.difference {
		return c.B.Value - c.A.Value
	}
	return 100 * (c.Ratio.Value - 1)
}

// Comparison is what changed from run A to run B, over the stacks and points that
// both hold.
type Comparison struct {
	Differences []string `json:"differences,omitempty"` // in what the runs were made of
	Lost        []string `json:"lost,omitempty"`        // stacks that A measured and that B could not, with the reason
	Changes     []Change `json:"changes"`

	spotless bool // at a load that both hold, neither run had an error
}

// Runs sets run b against run a. Stacks are paired by name; where each run holds one
// alone, as stress tests do, these two are a pair whatever they are called.
func Runs(a, b *record.Results) *Comparison {
	x, y := figures.NewIndex(a), figures.NewIndex(b)
	c := &Comparison{Differences: differences(a.Manifest, b.Manifest)}
	alone := len(a.Stacks) == 1 && len(b.Stacks) == 1
	for _, s := range x.Comparable() {
		name := s.Name
		if alone && name != b.Stacks[0].Name {
			name = b.Stacks[0].Name
			c.Differences = append(c.Differences, "stack: "+s.Name+", then "+name)
		}
		row, ok := y.Rows[name]
		switch {
		case !ok:
			c.Differences = append(c.Differences, s.Name+" is not measured in both runs")
		case row.Status != figures.Measured:
			c.Lost = append(c.Lost, fmt.Sprintf("%s: %s: %s", s.Name, row.Status, format.OneLine(row.Reason)))
		default:
			c.Changes = append(c.Changes, changes(x, y, s.Name, name)...)
			c.spotless = c.spotless || spotless(x, y, s.Name, name)
		}
	}
	return c
}

// changes are those from one stack of the first run to its counterpart in the second.
func changes(x, y *figures.Index, stack, counterpart string) []Change {
	var list []Change
	for _, q := range quantities {
		for _, sweep := range q.sweeps {
			for _, p := range x.Points(stack, sweep) {
				if change, ok := q.compare(x, y, stack, counterpart, p); ok {
					list = append(list, change)
				}
			}
		}
	}
	return list
}

// spotless finds a load at which neither had an error: it is no change to show, and a
// limit on errors was held against it.
func spotless(x, y *figures.Index, stack, counterpart string) bool {
	return slices.ContainsFunc(errorSweeps, func(sweep record.Sweep) bool {
		return slices.ContainsFunc(x.Points(stack, sweep), func(p figures.Point) bool {
			a, b := failures(x, stack, p), failures(y, counterpart, p)
			return a.Known() && b.Known() && a.Hi == 0 && b.Hi == 0
		})
	})
}

// differences lists what the two runs were not alike in.
func differences(a, b record.Manifest) []string {
	var list []string
	for _, d := range []struct{ what, a, b string }{
		{"version", a.Version + " " + a.Commit, b.Version + " " + b.Commit},
		{"model", format.ModelLine(a.Model), format.ModelLine(b.Model)},
		{"texts", a.Data.Source + " " + a.Data.SHA256, b.Data.Source + " " + b.Data.SHA256},
		{"machine", format.MachineLine(a.Machine), format.MachineLine(b.Machine)},
		{"system", a.Machine.OS + " " + a.Machine.Kernel, b.Machine.OS + " " + b.Machine.Kernel},
	} {
		if d.a != d.b {
			list = append(list, fmt.Sprintf("%s: %s, then %s", d.what, strings.TrimSpace(d.a), strings.TrimSpace(d.b)))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(a.Model.Files)) {
		if sum, ok := b.Model.Files[key]; ok && sum != a.Model.Files[key] {
			list = append(list, "model file "+key+" has other contents")
		}
	}
	return list
}
