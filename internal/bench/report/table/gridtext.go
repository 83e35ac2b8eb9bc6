package table

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Terminal says how to draw for a person at a terminal.
type Terminal struct {
	Width int  // columns; 0: as wide as the table needs
	Color bool // false under NO_COLOR or when writing to a file
}

// The escape sequences in use.
const (
	Bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	Red   = "\x1b[31m"
	reset = "\x1b[0m"
)

func (o Terminal) Paint(style, text string) string {
	if !o.Color || text == "" {
		return text
	}
	return style + text + reset
}

const gap = 2 // blanks between columns

// Widths of the columns; a spanning entry claims none.
func (t *Table) Widths() []int {
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = max(utf8.RuneCountInString(c.Name), utf8.RuneCountInString(c.Unit))
	}
	for _, row := range t.Rows {
		for i, e := range row {
			if !e.Span {
				widths[i] = max(widths[i], utf8.RuneCountInString(e.String()), utf8.RuneCountInString(e.Interval))
			}
		}
	}
	return widths
}

func LineWidth(widths []int) int {
	sum := gap * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// WriteGrid draws two lines a row: figures, and below them their intervals.
func (t *Table) WriteGrid(b *strings.Builder, widths []int, o Terminal) {
	t.writeLine(b, widths, func(i int) string { return t.Columns[i].Name }, o, Bold)
	if slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Unit != "" }) {
		t.writeLine(b, widths, func(i int) string { return t.Columns[i].Unit }, o, dim)
	}
	b.WriteString(o.Paint(dim, strings.Repeat("─", LineWidth(widths))) + "\n")
	for _, row := range t.Rows {
		t.writeLine(b, widths[:len(row)], func(i int) string { return row[i].String() }, o, "")
		if hasInterval(row) {
			t.writeLine(b, widths, func(i int) string { return row[i].Interval }, o, dim)
		}
	}
}

func hasInterval(row []Entry) bool {
	return slices.ContainsFunc(row, func(e Entry) bool { return e.Interval != "" })
}

// writeLine puts the first column to the left and figures to the right.
func (t *Table) writeLine(b *strings.Builder, widths []int, text func(int) string, o Terminal, style string) {
	var line strings.Builder
	for i, width := range widths {
		cell := text(i)
		pad := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(cell)))
		switch {
		case i == 0:
			line.WriteString(cell + pad)
		case i == 1 && len(widths) < len(t.Columns): // fills the row
			line.WriteString(strings.Repeat(" ", gap) + cell)
		default:
			line.WriteString(strings.Repeat(" ", gap) + pad + cell)
		}
	}
	b.WriteString(o.Paint(style, strings.TrimRight(line.String(), " ")) + "\n")
}

// WriteBlocks draws a stack's figures below each other.
func (t *Table) WriteBlocks(b *strings.Builder, o Terminal) {
	for _, row := range t.Rows {
		b.WriteString(o.Paint(Bold, row[0].Text) + " " + o.Paint(dim, row[0].Interval) + "\n")
		for i, e := range row[1:] {
			if e.Span {
				Wrap(b, "  "+e.Text, o.Width)
				continue
			}
			c := t.Columns[i+1]
			line := fmt.Sprintf("  %-12s %s", c.Name, e)
			if e.Interval != "" {
				line += " " + o.Paint(dim, "("+e.Interval+")")
			}
			b.WriteString(line + " " + o.Paint(dim, c.Unit) + "\n")
		}
	}
}

// Wrap breaks a text at blanks, indenting what follows; 0 never breaks.
func Wrap(b *strings.Builder, text string, width int) {
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
