package dataset

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// readBuffer is how many bytes of a column are read at once: over the network, the size of a request.
const readBuffer = 256 << 10

// parquetTexts are the values of a Parquet file's text column. Only that column is read, a page at a time.
func parquetTexts(r io.ReaderAt, size int64) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ours := true // whether it is this package's turn, not the consumer's
		more := true
		defer func() {
			// The Parquet library meets some malformed files with a panic. The consumer's own panics pass.
			if p := recover(); p != nil {
				if !ours || !more {
					panic(p)
				}
				yield("", fmt.Errorf("malformed Parquet: %v", p))
			}
		}()
		err := eachText(r, size, func(text string) bool {
			ours = false
			more = yield(text, nil)
			ours = true
			return more
		})
		if err != nil && more {
			yield("", err)
		}
	}
}

func eachText(r io.ReaderAt, size int64, yield func(string) bool) error {
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(readBuffer))
	if err != nil {
		return err
	}
	column, err := textLeaf(file.Schema())
	if err != nil {
		return err
	}
	for _, group := range file.RowGroups() {
		if more, err := eachValue(group.ColumnChunks()[column], yield); !more || err != nil {
			return err
		}
	}
	return nil
}

// textLeaf is the index of the column that holds the texts: by its own name, or that of the list it is the element of.
func textLeaf(schema *parquet.Schema) (int, error) {
	paths := schema.Columns()
	names := make([]string, len(paths))
	for i, path := range paths {
		for len(path) > 1 && (path[len(path)-1] == "element" || path[len(path)-1] == "item" || path[len(path)-1] == "list") {
			path = path[:len(path)-1]
		}
		names[i] = path[len(path)-1]
	}
	column, found := textColumn(names)
	if !found {
		return 0, fmt.Errorf("no column is named %s: %q", strings.Join(textFields, ", "), names)
	}
	leaf, _ := schema.Lookup(paths[column]...)
	if kind := leaf.Node.Type().Kind(); kind != parquet.ByteArray {
		return 0, fmt.Errorf("column %s holds %s, not text", strings.Join(paths[column], "."), kind)
	}
	return column, nil
}

// eachValue yields the values of one row group's column, nulls left out.
func eachValue(chunk parquet.ColumnChunk, yield func(string) bool) (more bool, err error) {
	pages := chunk.Pages()
	defer pages.Close()
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		more, err := eachPageValue(page, yield)
		parquet.Release(page)
		if !more || err != nil {
			return false, err
		}
	}
}

func eachPageValue(page parquet.Page, yield func(string) bool) (more bool, err error) {
	var values [128]parquet.Value
	reader := page.Values()
	for {
		n, err := reader.ReadValues(values[:])
		for _, v := range values[:n] {
			if !v.IsNull() && !yield(string(v.ByteArray())) {
				return false, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}
