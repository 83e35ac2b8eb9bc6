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

// Paint gives a text a style, if the terminal has colours.
func (o Terminal) Paint(style, text string) string {
	if !o.Color || text == "" {
		return text
	}
	return style + text + reset
}

const gap = 2 // blanks between columns

// WriteText draws the table for a terminal. Where it is too wide it is drawn in
// parts below each other, each with the first column, or as a block a row.
func (t *Table) WriteText(b *strings.Builder, o Terminal) {
	parts, fits := t.parts(o.Width)
	if !fits || len(parts) > 1 && t.Blocks {
		t.writeBlocks(b, o)
		return
	}
	for i, part := range parts {
		if i > 0 {
			b.WriteString("\n")
		}
		part.writeGrid(b, part.widths(), o)
	}
}

// parts splits the columns so that each part is at most so wide; 0 never splits. It
// fails where not even two columns fit beside each other.
func (t *Table) parts(width int) (list []*Table, fits bool) {
	widths := t.widths()
	for from := 1; from < len(t.Columns); {
		to := from + 1
		for to < len(t.Columns) && lineWidth(append(widths[:1:1], widths[from:to+1]...)) <= width {
			to++
		}
		if width == 0 {
			to = len(t.Columns)
		}
		if width > 0 && lineWidth(append(widths[:1:1], widths[from:to]...)) > width {
			return nil, false
		}
		list = append(list, t.columns(from, to))
		from = to
	}
	return list, true
}

// columns is the table of the first and some other columns. Rows that fill the whole
// table are in its first part.
func (t *Table) columns(from, to int) *Table {
	part := &Table{Columns: append(t.Columns[:1:1], t.Columns[from:to]...)}
	for _, row := range t.Rows {
		switch {
		case len(row) == len(t.Columns):
			part.Rows = append(part.Rows, append(row[:1:1], row[from:to]...))
		case from == 1:
			part.Rows = append(part.Rows, row)
		}
	}
	return part
}

// WriteNotes writes the footnotes, each wrapped to the terminal.
func (t *Table) WriteNotes(b *strings.Builder, o Terminal) {
	for i, note := range t.Notes {
		Wrap(b, fmt.Sprintf("[%d] %s", i+1, strings.Join(strings.Fields(note), " ")), o.Width)
	}
}

// widths of the columns; a spanning entry claims none.
func (t *Table) widths() []int {
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

func lineWidth(widths []int) int {
	sum := gap * (len(widths) - 1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// writeGrid draws two lines a row: figures, and below them their intervals.
func (t *Table) writeGrid(b *strings.Builder, widths []int, o Terminal) {
	t.writeLine(b, widths, func(i int) string { return t.Columns[i].Name }, o, Bold)
	if slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Unit != "" }) {
		t.writeLine(b, widths, func(i int) string { return t.Columns[i].Unit }, o, dim)
	}
	b.WriteString(o.Paint(dim, strings.Repeat("─", lineWidth(widths))) + "\n")
	for _, row := range t.Rows {
		if row[len(row)-1].Span {
			writeSpan(b, widths[0], row, o)
			continue
		}
		t.writeLine(b, widths, func(i int) string { return row[i].String() }, o, "")
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
		default:
			line.WriteString(strings.Repeat(" ", gap) + pad + cell)
		}
	}
	b.WriteString(o.Paint(style, strings.TrimRight(line.String(), " ")) + "\n")
}

// writeSpan puts a text that fills its row beside the row's name, on as many lines as
// it takes.
func writeSpan(b *strings.Builder, first int, row []Entry, o Terminal) {
	indent := strings.Repeat(" ", first+gap)
	b.WriteString(fmt.Sprintf("%-*s%s", first, row[0].Text, strings.Repeat(" ", gap)))
	wrapAt(b, row[len(row)-1].String(), o.Width, first+gap, indent)
}

// writeBlocks draws a stack's figures below each other.
func (t *Table) writeBlocks(b *strings.Builder, o Terminal) {
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

// Wrap breaks a text at blanks, indenting what follows; width 0 never breaks.
func Wrap(b *strings.Builder, text string, width int) { wrapAt(b, text, width, 0, "  ") }

// wrapAt goes on in a line that is so many columns long already.
func wrapAt(b *strings.Builder, text string, width, column int, indent string) {
	for i, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case width > 0 && column+1+n > width:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += n
	}
	b.WriteString("\n")
}
