package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
)

// WriteMarkdown writes the summary table and the findings for a README or an
// issue.
func (s *Summary) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	s.markdownTable(&b)
	s.markdownFindings(&b)
	for _, warning := range s.Warnings {
		b.WriteString("\n> **Warning**: " + escape(warningLine(warning)) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// markdownTable writes the table with what a reader needs beside it.
func (s *Summary) markdownTable(b *strings.Builder) {
	t := s.table()
	fmt.Fprintf(b, "Model: %s  \nTexts: %s  \nMachine: %s\n\n", escape(s.Model), escape(s.Data), escape(s.Machine))
	t.writeMarkdown(b)
	b.WriteString("\n")
	for i, note := range t.notes {
		fmt.Fprintf(b, "[%d] %s  \n", i+1, escape(oneLine(note)))
	}
	for _, line := range s.captions() {
		b.WriteString(escape(line) + "\n")
	}
}

func (s *Summary) markdownFindings(b *strings.Builder) {
	for _, group := range []struct {
		title string
		list  []Finding
	}{{"Findings", s.Leaders}, {"Trade-offs", s.TradeOffs}, {"Recommendations", s.Recommendations}} {
		b.WriteString("\n## " + group.title + "\n\n")
		for _, f := range group.list {
			b.WriteString("- **" + escape(capital(f.Topic)) + "**: " + escape(f.Text) + "\n")
			markdownEvidence(b, f.Evidence)
		}
	}
	b.WriteString("\n## Claims\n\n")
	for _, v := range s.Claims {
		fmt.Fprintf(b, "- %s **%s.** %s\n", escape(v.Claim), capital(string(v.Judgement)), escape(v.Text))
		markdownEvidence(b, v.Evidence)
	}
}

func markdownEvidence(b *strings.Builder, list []Evidence) {
	for _, e := range list {
		b.WriteString("  - " + escape(e.Label) + ": " + escape(e.Figure) + "\n")
	}
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

func warningLine(w record.Warning) string { return oneLine(w.String()) }
