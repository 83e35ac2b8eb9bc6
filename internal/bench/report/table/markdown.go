package table

import (
	"strings"
)

// WriteMarkdown writes the grid as a table of Markdown, intervals in brackets. Notes
// are the caller's to write.
func (t *Table) WriteMarkdown(b *strings.Builder) {
	for i, c := range t.Columns {
		b.WriteString("| " + c.Name)
		if c.Unit != "" {
			b.WriteString(", " + c.Unit)
		}
		if i == len(t.Columns)-1 {
			b.WriteString(" |\n|")
		} else {
			b.WriteString(" ")
		}
	}
	b.WriteString(" :--- |" + strings.Repeat(" ---: |", len(t.Columns)-1) + "\n")
	for _, row := range t.Rows {
		for _, e := range row {
			text := Escape(e.String())
			if e.Interval != "" {
				text += " (" + e.Interval + ")"
			}
			b.WriteString("| " + text + " ")
		}
		b.WriteString(strings.Repeat("| ", len(t.Columns)-len(row)) + "|\n")
	}
}

// Escape keeps a text from being read as markup or as the end of a column.
var Escape = strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "`", "\\`", "\n", " ").Replace
