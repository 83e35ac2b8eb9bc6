package dataset

import (
	"errors"
	"io"

	"github.com/parquet-go/parquet-go"
)

// columnReader reads one column of a row group, a page at a time.
type columnReader struct {
	leaf   parquet.LeafColumn
	pages  parquet.Pages
	page   parquet.Page // that have lies in; nil before the first
	values parquet.ValueReader
	buffer [128]parquet.Value
	have   []parquet.Value // of the buffer, still to be given
	last   bool            // the page has no more than that
}

func openColumns(group parquet.RowGroup, leaves []parquet.LeafColumn) []*columnReader {
	columns := make([]*columnReader, len(leaves))
	for i, leaf := range leaves {
		columns[i] = &columnReader{leaf: leaf, pages: group.ColumnChunks()[leaf.ColumnIndex].Pages()}
	}
	return columns
}

// next gives the column's next value, or io.EOF. It lies in memory that the call after
// it may reuse.
func (c *columnReader) next() (parquet.Value, error) {
	for len(c.have) == 0 {
		if err := c.fill(); err != nil {
			return parquet.Value{}, err
		}
	}
	v := c.have[0]
	c.have = c.have[1:]
	return v, nil
}

// fill reads some values, or goes to the next page.
func (c *columnReader) fill() error {
	if c.page == nil || c.last {
		return c.turn()
	}
	n, err := c.values.ReadValues(c.buffer[:])
	c.have = c.buffer[:n]
	if errors.Is(err, io.EOF) {
		c.last, err = true, nil
	}
	return err
}

func (c *columnReader) turn() error {
	c.release()
	page, err := c.pages.ReadPage()
	if err != nil {
		return err
	}
	c.page, c.values, c.last = page, page.Values(), false
	return nil
}

func (c *columnReader) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
}

func (c *columnReader) close() error {
	c.release()
	return c.pages.Close()
}

// valueOf is a value as a Row has it.
func valueOf(v parquet.Value) any {
	switch {
	case v.IsNull():
		return nil
	case v.Kind() == parquet.Boolean:
		return v.Boolean()
	case v.Kind() == parquet.Int32:
		return int64(v.Int32())
	case v.Kind() == parquet.Int64:
		return v.Int64()
	case v.Kind() == parquet.Float:
		return float64(v.Float())
	case v.Kind() == parquet.Double:
		return v.Double()
	}
	return string(v.ByteArray())
}
