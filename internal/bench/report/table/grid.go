// Package table draws a grid of texts with footnotes: for a terminal of any width,
// and as Markdown. It knows nothing of benchmarks.
package table

import (
	"fmt"
	"slices"
)

// Table is a grid of texts with footnotes, however it is drawn.
type Table struct {
	Columns []Column
	Rows    [][]Entry // the first entry names the row
	Notes   []string  // footnote i+1
	Blocks  bool      // too wide for a terminal, it is drawn as a block a row and not in parts
}

// Column is what the entries below it say.
type Column struct{ Name, Unit string }

// Entry is one place of the grid.
type Entry struct {
	Text     string
	Value    float64 // what the row sorts by in this column, NaN for a text
	Interval string  // of its confidence, empty for none
	Note     int     // its footnote's number, 0 for none
	Doubtful bool    // failed a check
	Span     bool    // fills the rest of its row
	From     []int   // the records it comes from, for a page that can show them
}

// String writes the entry on one line, its interval apart.
func (e Entry) String() string {
	text := e.Text
	if e.Doubtful {
		text = "!" + text
	}
	if e.Note > 0 {
		text += fmt.Sprintf(" [%d]", e.Note)
	}
	return text
}

// Footnote returns the number of a note, which equal texts share.
func (t *Table) Footnote(text string) int {
	if text == "" {
		return 0
	}
	if i := slices.Index(t.Notes, text); i >= 0 {
		return i + 1
	}
	t.Notes = append(t.Notes, text)
	return len(t.Notes)
}
