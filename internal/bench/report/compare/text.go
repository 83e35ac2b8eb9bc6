package compare

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/report/table"
	"github.com/paceline/paceline/internal/bench/stat"
)

// WriteText draws the comparison as a table; what is worse or better comes first.
func (c *Comparison) WriteText(w io.Writer, o table.Terminal) error {
	var b strings.Builder
	for _, d := range c.Differences {
		table.Wrap(&b, "The runs differ in "+d+".", o.Width)
	}
	for _, lost := range c.Lost {
		table.Wrap(&b, o.Paint(table.Red, "lost")+": "+lost, o.Width)
	}
	t := c.table()
	t.WriteText(&b, o)
	b.WriteString("\n")
	t.WriteNotes(&b, o)
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
	for _, lost := range c.Lost {
		b.WriteString("- **Lost**: " + table.Escape(lost) + "\n")
	}
	b.WriteString("\n")
	t := c.table()
	t.WriteMarkdown(&b)
	b.WriteString("\n")
	for i, note := range t.Notes {
		fmt.Fprintf(&b, "[%d] %s  \n", i+1, table.Escape(note))
	}
	b.WriteString("\n" + table.Escape(c.caption()) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *Comparison) table() *table.Table {
	t := &table.Table{Blocks: true, Columns: []table.Column{
		{Name: "Stack and load"}, {Name: "Quantity"}, {Name: "Run A"}, {Name: "Run B"}, {Name: "B / A"}, {Name: "Verdict"},
	}}
	order := map[Outcome]int{Worse: 0, Better: 1, NoDifference: 2, TooFew: 2, Invalid: 3}
	sorted := slices.SortedStableFunc(slices.Values(c.Changes), func(a, b Change) int { return order[a.Outcome] - order[b.Outcome] })
	for _, change := range sorted {
		verdict := table.Entry{Text: string(change.Outcome)}
		if change.Outcome == Invalid {
			verdict.Note = t.Footnote(change.Why())
		}
		t.Rows = append(t.Rows, []table.Entry{
			{Text: change.Stack, Interval: strings.ReplaceAll(string(change.Sweep), "_", " ") + ", " + change.Cell},
			{Text: change.Quantity, Interval: change.Unit},
			{Text: format.Number(change.A.Value), Interval: format.Interval(change.A.Estimate), Doubtful: change.A.Doubt != ""},
			{Text: format.Number(change.B.Value), Interval: format.Interval(change.B.Estimate), Doubtful: change.B.Doubt != ""},
			change.ratio(),
			verdict,
		})
	}
	return t
}

// ratio is B over A, or the difference in percentage points.
func (c Change) ratio() table.Entry {
	if c.difference {
		return table.Entry{Text: fmt.Sprintf("%+.2f", c.Percent()), Interval: "points"}
	}
	return table.Entry{Text: format.Number(c.Ratio.Value), Interval: format.Interval(c.Ratio.Estimate)}
}

// Why says why a change could not be judged, and what to do.
func (c Change) Why() string {
	if c.Outcome == TooFew {
		return "too few repeats to tell the runs apart: take more time (--full), fewer stacks or fewer points"
	}
	return cmp.Or(c.A.Doubt, c.B.Doubt)
}

func (c *Comparison) caption() string {
	counts := map[Outcome]int{}
	for _, change := range c.Changes {
		counts[change.Outcome]++
	}
	if len(c.Changes) == 0 {
		return "The runs share no cell: nothing to compare."
	}
	return fmt.Sprintf("%s compared: %d worse, %d better, %d without a shown difference, %d not valid. "+
		"A difference is shown when Mann-Whitney gives p <= %g, the medians' intervals do not overlap and all of the ratio's "+
		"lies beyond %g %%, by which two runs may differ because of what else changed between them.",
		english.Plural(len(c.Changes), "figure", ""), counts[Worse], counts[Better], counts[NoDifference]+counts[TooFew], counts[Invalid], stat.Significance, 100*floor)
}
