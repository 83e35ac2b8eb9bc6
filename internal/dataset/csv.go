package dataset

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// csvTable is comma-separated values (RFC 4180) with a first line of the columns'
// names, or a single column.
type csvTable struct {
	records *csv.Reader
	header  []string // nil: the file is empty
}

func newCSVTable(r io.Reader) *csvTable {
	c := &csvTable{records: csv.NewReader(r)}
	c.records.ReuseRecord = true
	return c
}

func (c *csvTable) columns() ([]Column, error) {
	header, err := c.records.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err // it names the line
	}
	c.header = slices.Clone(header)
	c.header[0] = strings.TrimPrefix(c.header[0], "\ufeff")
	if len(header) == 1 {
		return nil, nil
	}
	columns := make([]Column, len(header))
	for i, name := range c.header {
		columns[i] = Column{name, KindText}
	}
	return columns, nil
}

func (c *csvTable) rows(want Selection) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		text, named := want.textColumn(c.header)
		switch {
		case c.header == nil:
			return
		case !named && (len(c.header) > 1 || want.Text != ""):
			yield(Row{}, fmt.Errorf("line 1: %w", want.errNoColumn(c.header)))
			return
		case !named && !yield(Row{Number: 1, Text: c.header[0]}, nil):
			return
		}
		for {
			record, err := c.records.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Row{}, err) // it names the line
				return
			}
			line, _ := c.records.FieldPos(0)
			row := Row{Number: int64(line), Text: strings.Clone(record[text])}
			for _, name := range want.Keep {
				row.Values = append(row.Values, strings.Clone(record[slices.Index(c.header, name)]))
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}
