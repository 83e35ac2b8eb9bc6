package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Terminal says how to draw for a person at a terminal.
type Terminal struct {
	Width int  // columns; 0: as wide as the table needs
	Color bool // false under NO_COLOR or when writing to a file
}

// The escape sequences in use.
const (
	bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	red   = "\x1b[31m"
	reset = "\x1b[0m"
)

func (o Terminal) paint(style, text string) string {
	if !o.Color || text == "" {
		return text
	}
	return style + text + reset
}

// WriteText draws the summary table, its footnotes and the run's warnings. A
// terminal too narrow for the table gets one block a stack.
func (s *Summary) WriteText(w io.Writer, o Terminal) error {
	var b strings.Builder
	t := s.table()
	fmt.Fprintf(&b, "%s\n%s\n%s\n\n", s.Model, s.Data, s.Machine)
	if widths := t.widths(); o.Width == 0 || lineWidth(widths) <= o.Width {
		t.writeGrid(&b, widths, o)
	} else {
		t.writeBlocks(&b, o)
	}
	b.WriteString("\n")
	for i, note := range t.notes {
		wrap(&b, fmt.Sprintf("[%d] %s", i+1, oneLine(note)), o.Width)
	}
	for _, line := range s.captions() {
		wrap(&b, line, o.Width)
	}
	s.writeFindings(&b, o)
	for _, warning := range s.Warnings {
		wrap(&b, o.paint(red, "warning")+": "+warningLine(warning), o.Width)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeFindings draws who leads and what to take for which use, a line each;
// topics of which the same is to be said share one.
func (s *Summary) writeFindings(b *strings.Builder, o Terminal) {
	for _, group := range []struct {
		title string
		list  []Finding
	}{{"Findings", s.Leaders}, {"Recommendations", s.Recommendations}} {
		b.WriteString("\n" + o.paint(bold, group.title) + "\n")
		var topics, texts []string
		for _, f := range group.list {
			topics, texts = append(topics, f.Topic), append(texts, f.Text)
		}
		for _, said := range fold(topics, texts) {
			wrap(b, capital(list(said.names))+": "+said.text, o.Width)
		}
	}
}

func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

const gap = 2 // blanks between columns

// widths of the columns; a spanning entry claims none.
func (t *table) widths() []int {
	widths := make([]int, len(t.columns))
	for i, c := range t.columns {
		widths[i] = max(utf8.RuneCountInString(c.name), utf8.RuneCountInString(c.unit))
	}
	for _, row := range t.rows {
		for i, e := range row {
			if !e.span {
				widths[i] = max(widths[i], utf8.RuneCountInString(e.String()), utf8.RuneCountInString(e.interval))
			}
		}
	}
	return widths
}

func lineWidth(widths []int) int {
	sum := gap * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// writeGrid draws two lines a row: figures, and below them their intervals.
func (t *table) writeGrid(b *strings.Builder, widths []int, o Terminal) {
	t.writeLine(b, widths, func(i int) string { return t.columns[i].name }, o, bold)
	if slices.ContainsFunc(t.columns, func(c column) bool { return c.unit != "" }) {
		t.writeLine(b, widths, func(i int) string { return t.columns[i].unit }, o, dim)
	}
	b.WriteString(o.paint(dim, strings.Repeat("─", lineWidth(widths))) + "\n")
	for _, row := range t.rows {
		t.writeLine(b, widths[:len(row)], func(i int) string { return row[i].String() }, o, "")
		if hasInterval(row) {
			t.writeLine(b, widths, func(i int) string { return row[i].interval }, o, dim)
		}
	}
}

func hasInterval(row []entry) bool {
	return slices.ContainsFunc(row, func(e entry) bool { return e.interval != "" })
}

// writeLine puts the first column to the left and figures to the right.
func (t *table) writeLine(b *strings.Builder, widths []int, text func(int) string, o Terminal, style string) {
	var line strings.Builder
	for i, width := range widths {
		cell := text(i)
		pad := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(cell)))
		switch {
		case i == 0:
			line.WriteString(cell + pad)
		case i == 1 && len(widths) < len(t.columns): // fills the row
			line.WriteString(strings.Repeat(" ", gap) + cell)
		default:
			line.WriteString(strings.Repeat(" ", gap) + pad + cell)
		}
	}
	b.WriteString(o.paint(style, strings.TrimRight(line.String(), " ")) + "\n")
}

// writeBlocks draws a stack's figures below each other.
func (t *table) writeBlocks(b *strings.Builder, o Terminal) {
	for _, row := range t.rows {
		b.WriteString(o.paint(bold, row[0].text) + " " + o.paint(dim, row[0].interval) + "\n")
		for i, e := range row[1:] {
			if e.span {
				wrap(b, "  "+e.text, o.Width)
				continue
			}
			c := t.columns[i+1]
			line := fmt.Sprintf("  %-12s %s", c.name, e)
			if e.interval != "" {
				line += " " + o.paint(dim, "("+e.interval+")")
			}
			b.WriteString(line + " " + o.paint(dim, c.unit) + "\n")
		}
	}
}

// wrap breaks a text at blanks, indenting what follows; 0 never breaks.
func wrap(b *strings.Builder, text string, width int) {
	column := 0
	for i, word := range strings.SplitAfter(text, " ") {
		n := utf8.RuneCountInString(word)
		if i > 0 && width > 0 && column+utf8.RuneCountInString(strings.TrimRight(word, " ")) > width {
			b.WriteString("\n  ")
			column = 2
		}
		b.WriteString(word)
		column += n
	}
	b.WriteString("\n")
}
