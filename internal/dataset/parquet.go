package dataset

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/parquet-go/parquet-go"
)

// readBuffer is how many bytes of a column are read at once: over the network, the size of a request.
const readBuffer = 256 << 10

// parquetTable is a Parquet file. Only the columns that are wanted are read, a page at a time.
type parquetTable struct {
	file *parquet.File
	done atomic.Int64 // rows that were read
}

// openParquet reads a file's end.
func openParquet(r io.ReaderAt, size int64) (t *parquetTable, err error) {
	defer func() {
		if p := recover(); p != nil { // the library meets some malformed files with a panic
			err = fmt.Errorf("malformed Parquet: %v", p)
		}
	}()
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(readBuffer))
	if err != nil {
		return nil, err
	}
	return &parquetTable{file: file}, nil
}

// read is how many bytes were read, as far as rows tell.
func (t *parquetTable) read() int64 {
	return int64(float64(t.file.Size()) * float64(t.done.Load()) / float64(max(t.file.NumRows(), 1)))
}

// columns are those whose values can be kept.
func (t *parquetTable) columns() ([]Column, error) {
	columns := []Column{}
	for _, path := range t.file.Schema().Columns() {
		leaf, _ := t.file.Schema().Lookup(path...)
		if kind, ok := kindOf(leaf); ok {
			columns = append(columns, Column{strings.Join(path, "."), kind})
		}
	}
	return columns, nil
}

// kindOf is what a column holds. Lists and what has a meaning beyond its numbers, such
// as a time, is nothing that could be kept.
func kindOf(leaf parquet.LeafColumn) (kind Kind, ok bool) {
	if leaf.MaxRepetitionLevel > 0 {
		return "", false
	}
	logical := leaf.Node.Type().LogicalType()
	plain := logical == nil || logical.Value == nil
	switch leaf.Node.Type().Kind() {
	case parquet.ByteArray:
		return KindText, true
	case parquet.Int32, parquet.Int64:
		return KindInt, plain || logical.String() == "INT(32,true)" || logical.String() == "INT(64,true)"
	case parquet.Float, parquet.Double:
		return KindFloat, true
	case parquet.Boolean:
		return KindBool, true
	}
	return "", false
}

// textLeaf finds the column that holds the texts: by its own name, or that of the list it is the element of.
func (t *parquetTable) textLeaf(want Selection) (leaf parquet.LeafColumn, err error) {
	schema := t.file.Schema()
	paths := schema.Columns()
	names := make([]string, len(paths))
	for i, path := range paths {
		for len(path) > 1 && (path[len(path)-1] == "element" || path[len(path)-1] == "item" || path[len(path)-1] == "list") {
			path = path[:len(path)-1]
		}
		if names[i] = path[len(path)-1]; want.Text != "" && strings.Join(path, ".") == want.Text {
			names[i] = want.Text
		}
	}
	column, found := want.textColumn(names)
	if !found {
		return leaf, want.errNoColumn(names)
	}
	leaf, _ = schema.Lookup(paths[column]...)
	if kind := leaf.Node.Type().Kind(); kind != parquet.ByteArray {
		return leaf, fmt.Errorf("column %s holds %s, not text", strings.Join(paths[column], "."), kind)
	}
	if leaf.MaxRepetitionLevel > 0 && len(want.Keep) > 0 {
		return leaf, fmt.Errorf("column %s holds lists of texts, each of which becomes a row: no other column can be kept beside them", names[column])
	}
	return leaf, nil
}

func (t *parquetTable) rows(want Selection) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		ours := true // whether it is this package's turn, not the consumer's
		more := true
		defer func() {
			// The Parquet library meets some malformed files with a panic. The consumer's own panics pass.
			if p := recover(); p != nil {
				if !ours || !more {
					panic(p)
				}
				yield(Row{}, fmt.Errorf("malformed Parquet: %v", p))
			}
		}()
		err := t.each(want, func(row Row) bool {
			ours = false
			more = yield(row, nil)
			ours = true
			return more
		})
		if err != nil && more {
			yield(Row{}, err)
		}
	}
}

// each yields the rows of all row groups, until yield wants no more.
func (t *parquetTable) each(want Selection, yield func(Row) bool) error {
	text, err := t.textLeaf(want)
	if err != nil {
		return err
	}
	leaves := []parquet.LeafColumn{text}
	for _, name := range want.Keep {
		leaves = append(leaves, t.leafNamed(name))
	}
	for _, group := range t.file.RowGroups() {
		if more, err := t.group(openColumns(group, leaves), yield); !more || err != nil {
			return err
		}
	}
	return nil
}

// leafNamed is the column that columns calls so.
func (t *parquetTable) leafNamed(name string) parquet.LeafColumn {
	schema := t.file.Schema()
	paths := schema.Columns()
	leaf, _ := schema.Lookup(paths[slices.IndexFunc(paths, func(path []string) bool { return strings.Join(path, ".") == name })]...)
	return leaf
}

// group yields the rows of one row group; the first of the columns is the text's. Of a
// list each text is a row, and what is no text is none.
func (t *parquetTable) group(columns []*columnReader, yield func(Row) bool) (more bool, err error) {
	defer func() {
		for _, c := range columns {
			err = errors.Join(err, c.close())
		}
	}()
	for {
		text, err := columns[0].next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if text.RepetitionLevel() == 0 {
			t.done.Add(1)
		}
		if text.IsNull() && columns[0].leaf.MaxRepetitionLevel > 0 {
			continue
		}
		row := Row{Number: t.done.Load(), Text: string(text.ByteArray())}
		for _, c := range columns[1:] {
			v, err := c.next()
			if err != nil {
				return false, fmt.Errorf("row %d: column %s: %w", row.Number, strings.Join(c.leaf.Path, "."), err)
			}
			row.Values = append(row.Values, valueOf(v))
		}
		if !yield(row) {
			return false, nil
		}
	}
}
