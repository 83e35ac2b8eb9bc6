// Package compare sets one run against another: what changed, whether the statistics
// show it, and whether it goes beyond a limit.
package compare

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/report/table"
	"github.com/paceline/paceline/internal/bench/stat"
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
}

// Percent is by how much B's median quotient to A differs from one.
func (c Change) Percent() float64 { return 100 * (c.Ratio.Value - 1) }

// Comparison is what changed from run A to run B, over the stacks and points that
// both hold.
type Comparison struct {
	Differences []string `json:"differences,omitempty"` // in what the runs were made of
	Changes     []Change `json:"changes"`
}

// compared are the quantities looked at, by sweep.
type compared struct {
	name, unit    string
	lowerIsBetter bool
	sweeps        []record.Sweep
	figure        func(x *figures.Index, stack string, p figures.Point) figures.Figure
}

var comparedQuantities = []compared{
	{"throughput", "embeddings/s", false,
		[]record.Sweep{record.SweepOffline, record.SweepConcurrency, record.SweepBatchSize, record.SweepOnline, record.SweepStress},
		func(x *figures.Index, stack string, p figures.Point) figures.Figure {
			return x.Figure(stack, p, figures.Throughput)
		}},
	{"p50", "ms", true, []record.Sweep{record.SweepOnline, record.SweepStress},
		func(x *figures.Index, stack string, p figures.Point) figures.Figure {
			return figures.Certified(x.Percentile(stack, p, 0.5))
		}},
	{"p95", "ms", true, []record.Sweep{record.SweepOnline, record.SweepStress},
		func(x *figures.Index, stack string, p figures.Point) figures.Figure {
			return figures.Certified(x.Percentile(stack, p, 0.95))
		}},
	{"memory", "MB", true, []record.Sweep{record.SweepTextLength},
		func(x *figures.Index, stack string, p figures.Point) figures.Figure {
			return x.Figure(stack, p, figures.PeakMemory)
		}},
}

// Runs sets run b against run a.
func Runs(a, b *record.Results) *Comparison {
	x, y := figures.NewIndex(a), figures.NewIndex(b)
	c := &Comparison{Differences: differences(a.Manifest, b.Manifest)}
	for _, s := range x.Comparable() {
		if row, ok := y.Rows[s.Name]; !ok || row.Status != figures.Measured {
			c.Differences = append(c.Differences, s.Name+" is not measured in both runs")
			continue
		}
		for _, q := range comparedQuantities {
			for _, sweep := range q.sweeps {
				for _, p := range x.Points(s.Name, sweep) {
					if change, ok := q.compare(x, y, s.Name, p); ok {
						c.Changes = append(c.Changes, change)
					}
				}
			}
		}
	}
	return c
}

func (q compared) compare(x, y *figures.Index, stack string, p figures.Point) (Change, bool) {
	a, b := q.figure(x, stack, p), q.figure(y, stack, p)
	if !a.Known() || !b.Known() {
		return Change{}, false
	}
	_, chance := stat.MannWhitney(a.Values, b.Values)
	c := Change{Stack: stack, Sweep: p.Sweep, Cell: p.String(), Quantity: q.name, Unit: q.unit,
		A: a, B: b, Ratio: figures.Figure{Estimate: stat.Ratio(b.Values, a.Values)}, P: chance}
	c.Outcome = q.outcome(c)
	return c, true
}

func (q compared) outcome(c Change) Outcome {
	switch {
	case !c.A.Sound() || !c.B.Sound():
		return Invalid
	case c.Ratio.Level < stat.Confidence:
		return TooFew
	case !stat.Differs(c.A.Values, c.B.Values):
		return NoDifference
	case (c.B.Value < c.A.Value) == q.lowerIsBetter:
		return Better
	}
	return Worse
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

// WriteText draws the comparison as a table; what is worse or better comes first.
func (c *Comparison) WriteText(w io.Writer, o table.Terminal) error {
	var b strings.Builder
	for _, d := range c.Differences {
		table.Wrap(&b, "The runs differ in "+d+".", o.Width)
	}
	t := c.table()
	if widths := t.Widths(); o.Width == 0 || table.LineWidth(widths) <= o.Width {
		t.WriteGrid(&b, widths, o)
	} else {
		t.WriteBlocks(&b, o)
	}
	b.WriteString("\n")
	table.Wrap(&b, c.caption(), o.Width)
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMarkdown writes the comparison for an issue or a CI job's summary.
func (c *Comparison) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	for _, d := range c.Differences {
		b.WriteString("- The runs differ in " + table.Escape(d) + ".\n")
	}
	b.WriteString("\n")
	c.table().WriteMarkdown(&b)
	b.WriteString("\n" + table.Escape(c.caption()) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Comparison) table() *table.Table {
	t := &table.Table{Columns: []table.Column{
		{Name: "Stack and cell"}, {Name: "Quantity"}, {Name: "Run A"}, {Name: "Run B"}, {Name: "B / A"}, {Name: "Verdict"},
	}}
	order := map[Outcome]int{Worse: 0, Better: 1, NoDifference: 2, TooFew: 2, Invalid: 3}
	sorted := slices.SortedStableFunc(slices.Values(c.Changes), func(a, b Change) int { return order[a.Outcome] - order[b.Outcome] })
	for _, change := range sorted {
		t.Rows = append(t.Rows, []table.Entry{
			{Text: change.Stack + ", " + string(change.Sweep) + ", " + change.Cell},
			{Text: change.Quantity + ", " + change.Unit},
			{Text: format.Number(change.A.Value), Interval: format.Interval(change.A.Estimate), Doubtful: change.A.Doubt != ""},
			{Text: format.Number(change.B.Value), Interval: format.Interval(change.B.Estimate), Doubtful: change.B.Doubt != ""},
			{Text: format.Number(change.Ratio.Value), Interval: format.Interval(change.Ratio.Estimate)},
			{Text: string(change.Outcome)},
		})
	}
	return t
}

func (c *Comparison) caption() string {
	counts := map[Outcome]int{}
	for _, change := range c.Changes {
		counts[change.Outcome]++
	}
	if len(c.Changes) == 0 {
		return "The runs share no cell: nothing to compare."
	}
	return fmt.Sprintf("%d figures compared: %d worse, %d better, %d without a shown difference, %d not valid. "+
		"A difference is shown when Mann-Whitney gives p <= %g and the medians' intervals do not overlap; "+
		"among many figures a few differ by chance.",
		len(c.Changes), counts[Worse], counts[Better], counts[NoDifference]+counts[TooFew], counts[Invalid], stat.Significance)
}
