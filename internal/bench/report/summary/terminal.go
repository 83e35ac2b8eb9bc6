package summary

import (
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
	for _, line := range []string{s.Model, s.Data, s.Machine} {
		table.Wrap(&b, line, o.Width)
	}
	b.WriteString("\n")
	t.WriteText(&b, o)
	b.WriteString("\n")
	t.WriteNotes(&b, o)
	for _, line := range s.Captions() {
		table.Wrap(&b, line, o.Width)
	}
	if len(s.Loads) > 0 {
		s.writeLoads(&b, o)
	}
	if s.Ranked() {
		s.writeFindings(&b, o)
	}
	for _, warning := range s.Warnings {
		table.Wrap(&b, o.Paint(table.Red, "warning")+": "+format.WarningLine(warning), o.Width)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Summary) writeLoads(b *strings.Builder, o table.Terminal) {
	t := s.LoadTable()
	b.WriteString("\n" + o.Paint(table.Bold, loadTitle) + "\n")
	t.WriteText(b, o)
	b.WriteString("\n")
	t.WriteNotes(b, o)
	table.Wrap(b, s.LoadCaption(), o.Width)
}

// writeFindings draws who leads and what to take for which use, a line each;
// topics of which the same is to be said share one.
func (s *Summary) writeFindings(b *strings.Builder, o table.Terminal) {
	for _, group := range []struct {
		title string
		list  []findings.Finding
	}{{"Findings", s.Leaders}, {"Recommendations", s.Recommendations}} {
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
