package dataset

import (
	"compress/gzip"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// Format is how a file holds texts.
type Format string

// The formats, and the endings of names that tell them.
const (
	Lines   Format = "lines"   // any other ending; a line a text
	TSV     Format = "tsv"     // .tsv; an id, if there is more than one column, and in the last column a text
	JSONL   Format = "jsonl"   // .jsonl, .ndjson; a line an object or a string
	JSON    Format = "json"    // .json; a list of objects or strings
	CSV     Format = "csv"     // .csv; a first line with the columns' names, or a single column
	Parquet Format = "parquet" // .parquet
)

// FormatOf is a file's format by its name. A last .gz says nothing of it.
func FormatOf(name string) Format {
	switch ext := strings.ToLower(filepath.Ext(withoutGzip(name))); ext {
	case ".tsv", ".jsonl", ".json", ".csv", ".parquet":
		return Format(ext[1:])
	case ".ndjson":
		return JSONL
	}
	return Lines
}

func withoutGzip(name string) string {
	if n := len(name) - len(".gz"); n > 0 && strings.EqualFold(name[n:], ".gz") {
		return name[:n]
	}
	return name
}

// File is an open file of rows, which are read once and one after another.
type File struct {
	Name    string
	Bytes   int64    // its size; 0 where that is not known
	Columns []Column // that can be kept beside the text; nil where they have no names
	unit    string   // what a row's number counts
	table   table
	read    func() int64 // how many of its bytes have been read
	close   func() error
}

// table is what the formats have in common.
type table interface {
	// columns reads no further than it must to know them.
	columns() ([]Column, error)
	// rows are read until the first error.
	rows(want Selection) iter.Seq2[Row, error]
}

// Open opens a file, or the corpus.jsonl of a folder in BEIR layout. format is "" to
// go by the name. What is named .gz is unpacked on the way.
func Open(path string, format Format) (*File, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "corpus.jsonl")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	f, err := open(file, path, format)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("read texts from %s: %w", path, err)
	}
	f.close = file.Close
	return f, nil
}

func open(file *os.File, path string, format Format) (*File, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if format == "" {
		format = FormatOf(path)
	}
	if format == Parquet {
		t, err := openParquet(file, info.Size())
		if err != nil {
			return nil, err
		}
		return newFile(path, info.Size(), Parquet, t, t.read)
	}
	counted := &countingReader{r: file}
	var r io.Reader = counted
	if withoutGzip(path) != path {
		if r, err = gzip.NewReader(counted); err != nil {
			return nil, err
		}
	}
	return newFile(path, info.Size(), format, tableOf(r, format), counted.count.Load)
}

// OpenStream reads what comes from r, which has no size. It cannot be Parquet, which
// is read from its end.
func OpenStream(name string, r io.Reader, format Format) (*File, error) {
	if format == Parquet {
		return nil, fmt.Errorf("read texts from %s: Parquet is read from its end: give the name of a file", name)
	}
	f, err := newFile(name, 0, format, tableOf(r, format), func() int64 { return 0 })
	if err != nil {
		return nil, fmt.Errorf("read texts from %s: %w", name, err)
	}
	f.close = func() error { return nil }
	return f, nil
}

func newFile(name string, size int64, format Format, t table, read func() int64) (*File, error) {
	columns, err := t.columns()
	if err != nil {
		return nil, err
	}
	unit := map[Format]string{JSON: "entry", Parquet: "row"}[format]
	if unit == "" {
		unit = "line"
	}
	return &File{Name: name, Bytes: size, Columns: columns, unit: unit, table: t, read: read}, nil
}

// tableOf is the table that a stream holds.
func tableOf(r io.Reader, format Format) table {
	switch format {
	case JSON:
		return newJSONList(r)
	case JSONL:
		return &jsonLines{scan: newLineScanner(r)}
	case CSV:
		return newCSVTable(r)
	case TSV:
		return &tabLines{scan: newLineScanner(r)}
	}
	return plainLines{newLineScanner(r)}
}

// Rows reads the rows, each with the columns that are wanted. An error names the place
// in the file and ends it. A file whose first row has no such text column is an error;
// later rows without one are Missing.
func (f *File) Rows(want Selection) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if err := f.check(want); err != nil {
			yield(Row{}, err)
			return
		}
		first := true
		for row, err := range f.table.rows(want) {
			if err == nil && first && row.Missing {
				err = f.At(row, errNoTextIn(want.Text))
			}
			first, row.Offset = false, f.read()
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// check tells whether the columns to keep are there.
func (f *File) check(want Selection) error {
	for _, name := range want.Keep {
		if _, ok := f.Column(name); !ok {
			return f.NoColumn(name)
		}
	}
	return nil
}

// Column finds one of the columns that can be kept.
func (f *File) Column(name string) (Column, bool) {
	i := slices.IndexFunc(f.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return f.Columns[i], true
}

// NoColumn is what is wrong with a column to keep that Column does not find.
func (f *File) NoColumn(name string) error {
	if len(f.Columns) == 0 {
		return fmt.Errorf("there is no column %q to keep: the rows have none beside the text", name)
	}
	names := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		names[i] = c.Name
	}
	return fmt.Errorf("there is no column %q to keep: there are %s", name, strings.Join(names, ", "))
}

// At says which row an error is about.
func (f *File) At(row Row, err error) error { return fmt.Errorf("%s: %w", f.Place(row), err) }

// Place says where in the file a row is.
func (f *File) Place(row Row) string { return fmt.Sprintf("%s %d", f.unit, row.Number) }

// Close closes the file.
func (f *File) Close() error { return f.close() }

// countingReader tells how much was read, to whoever asks meanwhile.
type countingReader struct {
	r     io.Reader
	count atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.count.Add(int64(n))
	return n, err
}
