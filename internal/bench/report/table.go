package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
)

// table is a grid of texts with footnotes, however it is drawn.
type table struct {
	columns []column
	rows    [][]entry // the first entry names the row
	notes   []string  // footnote i+1
}

type column struct{ name, unit string }

// entry is one place of the grid.
type entry struct {
	text     string
	value    float64 // what the row sorts by in this column, NaN for a text
	interval string  // of its confidence, empty for none
	note     int     // its footnote's number, 0 for none
	doubtful bool    // failed a check
	span     bool    // fills the rest of its row
}

// String writes the entry on one line, its interval apart.
func (e entry) String() string {
	text := e.text
	if e.doubtful {
		text = "!" + text
	}
	if e.note > 0 {
		text += fmt.Sprintf(" [%d]", e.note)
	}
	return text
}

// footnote returns the number of a note, which equal texts share.
func (t *table) footnote(text string) int {
	if text == "" {
		return 0
	}
	if i := slices.Index(t.notes, text); i >= 0 {
		return i + 1
	}
	t.notes = append(t.notes, text)
	return len(t.notes)
}

func (t *table) entry(what string, f Figure) entry {
	e := entry{text: number(f.Value), value: f.Value, interval: interval(f.Estimate), doubtful: f.Doubt != ""}
	switch {
	case f.Doubt != "":
		e.note = t.footnote(what + ": not valid. " + f.Doubt)
	case f.Note != "":
		e.note = t.footnote(what + ": " + f.Note)
	}
	return e
}

// table lays the summary out: what every column says is in its two header lines.
func (s *Summary) table() *table {
	t := &table{columns: []column{
		{"Stack", ""},
		{"Throughput", "embeddings/s"},
		{"p95 latency", "ms"},
		{"Batch eff.", "% of ceiling"},
		{"Memory", "MB/1k emb."},
		{"Max batch", "texts"},
		{"Per CPU-s", "embeddings"},
		{"Agreement", "min cosine"},
	}}
	if cell := s.latencyCell(); cell != "" {
		t.columns[2].unit = "ms, " + cell
	}
	for _, row := range s.Rows {
		t.rows = append(t.rows, t.row(row))
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

func (t *table) row(r Row) []entry {
	if r.Status != Measured {
		return []entry{{text: r.Stack}, {text: fmt.Sprintf("%s: %s", r.Status, oneLine(r.Reason)), span: true}}
	}
	return []entry{
		{text: r.Stack, interval: r.Policy},
		t.entry("throughput", r.Throughput),
		t.percentileEntry(r.Latency),
		t.entry("batch efficiency", r.BatchEfficiency),
		t.entry("memory", r.MemoryPer1k),
		maxBatchEntry(r.MaxBatch),
		t.entry("embeddings per CPU-second", r.PerCPUSecond),
		{text: cosine(r.Agreement), value: r.Agreement.MinCosine},
	}
}

// percentileEntry names the percentile where it is not the column's.
func (t *table) percentileEntry(p Percentile) entry {
	e := t.entry("latency", p.Figure)
	if p.Known() && p.P != p.Wanted {
		e.text = p.Name() + " " + e.text
	}
	return e
}

func maxBatchEntry(m record.MaxBatch) entry {
	if m.Size == 0 {
		return entry{text: unknown, value: math.NaN()}
	}
	e := entry{text: grouped(int64(m.Size)), value: float64(m.Size)}
	if strings.HasPrefix(m.Limit, "ceiling") || strings.HasPrefix(m.Limit, "time budget") { // the search ended before the stack did
		e.text = "≥ " + e.text
	}
	return e
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// captions say how the figures came about: lines below the table.
func (s *Summary) captions() []string {
	lines := []string{s.intervalCaption()}
	cells := s.each(func(r Row) string { return r.Throughput.Cell })
	if cells != "" {
		lines = append(lines, "Throughput is the best of the concurrency sweep: "+cells+".")
	}
	tokens := s.each(func(r Row) string {
		if !r.TokensPerSecond.Known() {
			return ""
		}
		return withInterval(r.TokensPerSecond.Estimate)
	})
	if tokens != "" {
		lines = append(lines, "Tokens a second, specials included: "+tokens+".")
	}
	if doors := s.each(func(r Row) string { return r.Door }); doors != "" {
		lines = append(lines, "Driven through: "+doors+".")
	}
	return lines
}

// each says something of every measured stack, those that have it in common
// together: "a and b: 32 texts × 8 clients; c: 32 texts × 16 clients".
func (s *Summary) each(say func(Row) string) string {
	var stacks, texts []string
	for _, row := range s.Rows {
		if row.Status == Measured {
			stacks, texts = append(stacks, row.Stack), append(texts, say(row))
		}
	}
	var parts []string
	for _, said := range fold(stacks, texts) {
		parts = append(parts, list(said.names)+": "+said.text)
	}
	return strings.Join(parts, "; ")
}

// intervalCaption says what the intervals cover, which few repeats lower.
func (s *Summary) intervalCaption() string {
	var shown []Figure
	for _, row := range s.Rows {
		for _, f := range []Figure{row.Throughput, row.Latency.Figure, row.PerCPUSecond} {
			if row.Status == Measured && f.Known() {
				shown = append(shown, f)
			}
		}
	}
	if len(shown) == 0 {
		return "Nothing in this table was measured."
	}
	least := slices.MinFunc(shown, func(a, b Figure) int { return a.N - b.N })
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
