package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
)

// WriteMarkdown writes the summary table for a README or an issue.
func (s *Summary) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	t := s.table()
	fmt.Fprintf(&b, "Model: %s  \nTexts: %s  \nMachine: %s\n\n", escape(s.Model), escape(s.Data), escape(s.Machine))
	t.writeMarkdown(&b)
	b.WriteString("\n")
	for i, note := range t.notes {
		fmt.Fprintf(&b, "[%d] %s  \n", i+1, escape(oneLine(note)))
	}
	for _, line := range s.captions() {
		b.WriteString(escape(line) + "\n")
	}
	for _, warning := range s.Warnings {
		b.WriteString("\n> **Warning**: " + escape(warningLine(warning)) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *table) writeMarkdown(b *strings.Builder) {
	for i, c := range t.columns {
		b.WriteString("| " + c.name)
		if c.unit != "" {
			b.WriteString(", " + c.unit)
		}
		if i == len(t.columns)-1 {
			b.WriteString(" |\n|")
		} else {
			b.WriteString(" ")
		}
	}
	b.WriteString(" :--- |" + strings.Repeat(" ---: |", len(t.columns)-1) + "\n")
	for _, row := range t.rows {
		for _, e := range row {
			text := escape(e.String())
			if e.interval != "" {
				text += " (" + e.interval + ")"
			}
			b.WriteString("| " + text + " ")
		}
		b.WriteString(strings.Repeat("| ", len(t.columns)-len(row)) + "|\n")
	}
}

// escape keeps a text from being read as markup or as the end of a column.
var escape = strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", "&lt;", "`", "\\`", "\n", " ").Replace

func warningLine(w record.Warning) string {
	line := oneLine(w.Text)
	if w.Stack != "" {
		line = w.Stack + ": " + line
	}
	if w.Advice != "" {
		line += " " + oneLine(w.Advice)
	}
	return line
}
