package bulk

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strings"
	"unicode/utf8"

	"github.com/paceline/paceline/internal/dataset"
)

// reader makes chunks of rows.
type reader struct {
	in     *input
	from   progress // rows before it are done
	digest hash.Hash
	rows   int64
	size   int    // of the chunk's rows
	before int64  // bytes of the files before this one
	buffer []byte // of add
}

// errChanged is an input that is not the one of the rows that are done.
var errChanged = errors.New("the input is not the one that was begun with")

// read sends every row that is not done; emit returns false to end it.
func (r *reader) read(ctx context.Context, emit func(*chunk) bool) error {
	r.digest = sha256.New()
	for _, name := range r.in.job.Inputs {
		f, err := r.in.open(name)
		if err != nil {
			return err
		}
		err = r.file(ctx, f, emit)
		f.Close() // it was only read
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		r.before += f.Bytes
	}
	if r.rows < r.from.Rows {
		return r.changed(fmt.Sprintf("it has %d rows and %d are done", r.rows, r.from.Rows))
	}
	return nil
}

func (r *reader) changed(how string) error {
	return fmt.Errorf("%w: %s: give the same input, or --restart to begin anew", errChanged, how)
}

func (r *reader) file(ctx context.Context, f *dataset.File, emit func(*chunk) bool) error {
	c := r.chunk(f)
	for row, err := range f.Rows(r.in.want) {
		if err == nil {
			err = r.add(f, row, c)
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil { // what came before it is kept
			emit(c)
			return err
		}
		if len(c.rows) < r.in.job.sizes.chunkRows && r.size < r.in.job.sizes.chunkBytes {
			continue
		}
		if !emit(c) {
			return context.Cause(ctx)
		}
		c = r.chunk(f)
	}
	if !emit(c) {
		return context.Cause(ctx)
	}
	return nil
}

func (r *reader) chunk(f *dataset.File) *chunk {
	r.size = 0
	return &chunk{file: f, done: make(chan struct{})}
}

// add puts a row into the chunk, unless it is done.
func (r *reader) add(f *dataset.File, row dataset.Row, c *chunk) error {
	if !utf8.ValidString(row.Text) {
		return f.At(row, fmt.Errorf("the text is not UTF-8: %.40q", row.Text))
	}
	r.sum(row)
	if r.rows++; r.rows <= r.from.Rows {
		if r.rows == r.from.Rows && string(r.digest.Sum(nil)) != string(r.from.Digest) {
			return r.changed(fmt.Sprintf("the first %d rows are not those that are done", r.rows))
		}
		return nil
	}
	c.rows = append(c.rows, row)
	c.digest = r.digest.Sum(c.digest[:0])
	c.read = r.before + row.Offset
	r.size += len(row.Text) + sizeOf(row.Values)
	return nil
}

// sum adds all that a row's output depends on to the digest.
func (r *reader) sum(row dataset.Row) {
	b := r.buffer[:0]
	b = appendField(b, row.Text)
	for _, v := range row.Values {
		if v == nil {
			b = append(b, 0)
			continue
		}
		b = appendField(append(b, 1), asText(v))
	}
	r.digest.Write(b)
	r.buffer = b
}

func appendField(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// asText is a value as text: a JSON string's content, anything else as it is written.
func asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.RawMessage:
		var s string
		if json.Unmarshal(v, &s) == nil {
			return s
		}
		return string(v)
	}
	return fmt.Sprint(v)
}

// sizeOf is about what the values of a row take.
func sizeOf(values []any) (size int) {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			size += len(v)
		case json.RawMessage:
			size += len(v)
		}
		size += 16
	}
	return size
}

func isEmpty(row dataset.Row) bool { return strings.TrimSpace(row.Text) == "" }
