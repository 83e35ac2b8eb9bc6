package summary

import (
	"fmt"
	"io"
	"strings"

	"github.com/paceline/paceline/internal/bench/report/findings"
	"github.com/paceline/paceline/internal/bench/report/format"
	"github.com/paceline/paceline/internal/bench/report/table"
)

// WriteText draws the summary table, its footnotes and the run's warnings. A
// terminal too narrow for the table gets one block a stack.
func (s *Summary) WriteText(w io.Writer, o table.Terminal) error {
	var b strings.Builder
	t := s.Table()
	fmt.Fprintf(&b, "%s\n%s\n%s\n\n", s.Model, s.Data, s.Machine)
	if widths := t.Widths(); o.Width == 0 || table.LineWidth(widths) <= o.Width {
		t.WriteGrid(&b, widths, o)
	} else {
		t.WriteBlocks(&b, o)
	}
	b.WriteString("\n")
	for i, note := range t.Notes {
		table.Wrap(&b, fmt.Sprintf("[%d] %s", i+1, format.OneLine(note)), o.Width)
	}
	for _, line := range s.Captions() {
		table.Wrap(&b, line, o.Width)
	}
	s.writeFindings(&b, o)
	for _, warning := range s.Warnings {
		table.Wrap(&b, o.Paint(table.Red, "warning")+": "+format.WarningLine(warning), o.Width)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeFindings draws who leads and what to take for which use, a line each;
// topics of which the same is to be said share one.
func (s *Summary) writeFindings(b *strings.Builder, o table.Terminal) {
	for _, group := range []struct {
		title string
		list  []findings.Finding
	}{{"Under demand", s.Demand}, {"Findings", s.Leaders}, {"Recommendations", s.Recommendations}} {
		if len(group.list) == 0 {
			continue
		}
		b.WriteString("\n" + o.Paint(table.Bold, group.title) + "\n")
		var topics, texts []string
		for _, f := range group.list {
			topics, texts = append(topics, f.Topic), append(texts, f.Text)
		}
		for _, said := range format.Fold(topics, texts) {
			table.Wrap(b, format.Capital(format.List(said.Names))+": "+said.Text, o.Width)
		}
	}
}
