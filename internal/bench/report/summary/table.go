package summary

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/report/table"
)

func entry(t *table.Table, what string, f figures.Figure) table.Entry {
	e := table.Entry{Text: format.Number(f.Value), Value: f.Value, Interval: format.Interval(f.Estimate), Doubtful: f.Doubt != "", From: f.From}
	switch {
	case f.Doubt != "":
		e.Note = t.Footnote(what + ": not valid. " + f.Doubt)
	case f.Note != "":
		e.Note = t.Footnote(what + ": " + f.Note)
	}
	return e
}

// Table lays the summary out: what every column says is in its two header lines.
func (s *Summary) Table() *table.Table {
	parts := s.parts()
	t := &table.Table{Columns: []table.Column{{Name: "Stack"}}}
	for _, p := range parts {
		t.Columns = append(t.Columns, p.Column)
	}
	for _, row := range s.Rows {
		t.Rows = append(t.Rows, entries(t, row, parts))
	}
	return t
}

// latencyCell is the point that the latency column was measured at, empty when
// the rows differ.
func (s *Summary) latencyCell() string {
	cell := ""
	for _, row := range s.Rows {
		switch c := row.Latency.Cell; {
		case c == "":
		case cell == "":
			cell = c
		case cell != c:
			return ""
		}
	}
	return cell
}

func entries(t *table.Table, r figures.Row, parts []part) []table.Entry {
	if r.Status != figures.Measured {
		return []table.Entry{{Text: r.Stack}, {Text: fmt.Sprintf("%s: %s", r.Status, format.OneLine(r.Reason)), Span: true}}
	}
	list := []table.Entry{{Text: r.Stack, Interval: r.Policy}}
	for _, p := range parts {
		list = append(list, p.of(t, r))
	}
	return list
}

// percentileEntry names the percentile where it is not the column's.
func percentileEntry(t *table.Table, p figures.Percentile) table.Entry {
	e := entry(t, "latency", p.Figure)
	if p.Known() && p.P != p.Wanted {
		e.Text = p.Name() + " " + e.Text
	}
	return e
}

func maxBatchEntry(m record.MaxBatch) table.Entry {
	if m.Size == 0 {
		return table.Entry{Text: format.Unknown, Value: math.NaN()}
	}
	e := table.Entry{Text: format.Grouped(int64(m.Size)), Value: float64(m.Size)}
	if strings.HasPrefix(m.Limit, "ceiling") || strings.HasPrefix(m.Limit, "time budget") { // the search ended before the stack did
		e.Text = "≥ " + e.Text
	}
	return e
}

// Captions say how the figures came about: lines below the table.
func (s *Summary) Captions() []string {
	var lines []string
	if s.Swept {
		lines = append(lines, intervalCaption(s.shown()))
	}
	cells := s.each(func(r figures.Row) string { return r.Throughput.Cell })
	if cells != "" {
		lines = append(lines, s.throughputCaption(cells))
	}
	tokens := s.each(func(r figures.Row) string {
		if !r.TokensPerSecond.Known() {
			return ""
		}
		return format.WithInterval(r.TokensPerSecond.Estimate)
	})
	if tokens != "" {
		lines = append(lines, "Tokens a second, specials included: "+tokens+".")
	}
	if doors := s.each(func(r figures.Row) string { return r.Door }); doors != "" {
		lines = append(lines, "Driven through: "+doors+".")
	}
	return lines
}

func (s *Summary) throughputCaption(cells string) string {
	if s.Stress {
		return "One load for the whole time: " + cells + ". The repeats are its windows."
	}
	return "Throughput is the best of the concurrency sweep: " + cells + "."
}

// each says something of every measured stack, those that have it in common
// together: "a and b: 32 texts × 8 clients; c: 32 texts × 16 clients".
func (s *Summary) each(say func(figures.Row) string) string {
	var stacks, texts []string
	for _, row := range s.Rows {
		if row.Status == figures.Measured {
			stacks, texts = append(stacks, row.Stack), append(texts, say(row))
		}
	}
	said := format.Fold(stacks, texts)
	if len(said) == 1 && len(stacks) > 1 && len(said[0].Names) == len(stacks) {
		return "all: " + said[0].Text
	}
	var parts []string
	for _, said := range said {
		parts = append(parts, format.List(said.Names)+": "+said.Text)
	}
	return strings.Join(parts, "; ")
}

// shown are the figures of the table that have intervals.
func (s *Summary) shown() (list []figures.Figure) {
	for _, row := range s.Rows {
		if row.Status == figures.Measured {
			list = append(list, row.Throughput, row.Latency.Figure, row.PerCPUSecond)
		}
	}
	return list
}

// intervalCaption says what the intervals cover, which few repeats lower.
func intervalCaption(shown []figures.Figure) string {
	shown = slices.DeleteFunc(shown, func(f figures.Figure) bool { return !f.Known() })
	if len(shown) == 0 {
		return "Nothing in this table was measured."
	}
	least := slices.MinFunc(shown, func(a, b figures.Figure) int { return a.N - b.N })
	if least.N < 2 {
		return "One repeat: no interval, and nothing here tells two stacks apart. Take more time (--full), fewer stacks or fewer points."
	}
	if least.N < 4 { // the least p of Mann-Whitney with three and three is 0.1
		return fmt.Sprintf("Medians over %d repeats or more, with their range. Fewer than four cannot tell two stacks apart, however far they lie from each other: take more time (--full), fewer stacks or fewer points.", least.N)
	}
	if least.Level < 0.95 {
		return fmt.Sprintf("Medians over %d repeats or more, with their range, which covers the true median with %.0f %%.", least.N, 100*least.Level)
	}
	return fmt.Sprintf("Medians over %d repeats or more, with the 95 %% confidence interval.", least.N)
}
