package summary

import (
	"fmt"
	"io"
	"strings"

	"github.com/paceline/paceline/internal/bench/report/findings"
	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/report/table"
)

// WriteMarkdown writes the summary table and the findings for a README or an
// issue.
func (s *Summary) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	s.MarkdownTable(&b)
	if s.Ranked() {
		s.markdownFindings(&b)
	}
	for _, warning := range s.Warnings {
		b.WriteString("\n> **Warning**: " + table.Escape(format.WarningLine(warning)) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// MarkdownTable writes the table with what a reader needs beside it.
func (s *Summary) MarkdownTable(b *strings.Builder) {
	fmt.Fprintf(b, "Model: %s  \nTexts: %s  \nMachine: %s\n\n", table.Escape(s.Model), table.Escape(s.Data), table.Escape(s.Machine))
	markdownTable(b, s.Table(), s.Captions()...)
	if len(s.Loads) > 0 {
		b.WriteString("\n## " + loadTitle + "\n\n")
		markdownTable(b, s.LoadTable(), s.LoadCaption())
	}
}

// markdownTable writes a table, its notes and lines below them.
func markdownTable(b *strings.Builder, t *table.Table, captions ...string) {
	t.WriteMarkdown(b)
	b.WriteString("\n")
	for i, note := range t.Notes {
		fmt.Fprintf(b, "[%d] %s  \n", i+1, table.Escape(format.OneLine(note)))
	}
	for _, line := range captions {
		b.WriteString(table.Escape(line) + "\n")
	}
}

func (s *Summary) markdownFindings(b *strings.Builder) {
	for _, group := range []struct {
		title string
		list  []findings.Finding
	}{{"Findings", s.Leaders}, {"Trade-offs", s.TradeOffs}, {"Recommendations", s.Recommendations}} {
		b.WriteString("\n## " + group.title + "\n\n")
		for _, f := range group.list {
			b.WriteString("- **" + table.Escape(format.Capital(f.Topic)) + "**: " + table.Escape(f.Text) + "\n")
			markdownEvidence(b, f.Evidence)
		}
	}
	b.WriteString("\n## Claims\n\n")
	for _, v := range s.Claims {
		fmt.Fprintf(b, "- %s **%s.** %s\n", table.Escape(v.Claim), format.Capital(string(v.Judgement)), table.Escape(v.Text))
		markdownEvidence(b, v.Evidence)
	}
}

func markdownEvidence(b *strings.Builder, list []findings.Evidence) {
	for _, e := range list {
		b.WriteString("  - " + table.Escape(e.Label) + ": " + table.Escape(e.Figure) + "\n")
	}
}
