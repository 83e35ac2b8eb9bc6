package bulk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/uncompressed"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/plain"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/paceline/paceline/internal/dataset"
)

// parquetCodec writes a group of rows a piece. A Parquet file ends with what tells of
// all its groups, and the library's writer knows only those it wrote itself; but a run
// that goes on has others' too. So each piece is written as a file of its own in memory,
// of which its pages are appended to the data file, and what told of them there, with
// its offsets moved, is the piece's note. The notes make the end.
type parquetCodec struct {
	schema  *parquet.Schema
	options []parquet.WriterOption
	kept    []dataset.Column
	places  []int // of the columns kept among the file's
	vector  int   // of the vectors' column
}

const parquetMagic = "PAR1"

func newParquetCodec(kept []dataset.Column, origin Origin) (*parquetCodec, error) {
	group := parquet.Group{vectorColumn: parquet.Optional(parquet.List(parquet.Compressed(parquet.Leaf(parquet.FloatType), &uncompressed.Codec{})))}
	for _, c := range kept {
		group[c.Name] = parquet.Optional(nodeOf(c.Kind))
	}
	p := &parquetCodec{schema: parquet.NewSchema("embeddings", group), kept: kept}
	for i, path := range p.schema.Columns() {
		if path[0] == vectorColumn {
			p.vector = i
		}
	}
	for _, c := range kept {
		p.places = append(p.places, slices.IndexFunc(p.schema.Columns(), func(path []string) bool { return path[0] == c.Name }))
	}
	p.options = []parquet.WriterOption{p.schema, parquet.Compression(&zstd.Codec{}), parquet.SkipPageBounds(p.schema.Columns()[p.vector]...)}
	for _, kv := range [][2]string{
		{"paceline.model", origin.Model}, {"paceline.dtype", origin.DType}, {"paceline.prompt", origin.Prompt},
		{"paceline.normalized", fmt.Sprint(origin.Normalize)}, {"paceline.long_text", origin.LongText},
	} {
		p.options = append(p.options, parquet.KeyValueMetadata(kv[0], kv[1]))
	}
	return p, nil
}

func nodeOf(kind dataset.Kind) parquet.Node {
	switch kind {
	case dataset.KindInt:
		return parquet.Leaf(parquet.Int64Type)
	case dataset.KindFloat:
		return parquet.Leaf(parquet.DoubleType)
	case dataset.KindBool:
		return parquet.Leaf(parquet.BooleanType)
	}
	return parquet.Encoded(parquet.String(), &plain.Encoding{})
}

func (c *parquetCodec) begin() []byte { return []byte(parquetMagic) }

func (c *parquetCodec) encode(p *piece, at int64) (data, note []byte, err error) {
	file, metadata, err := c.write(p)
	if err != nil {
		return nil, nil, err
	}
	if len(metadata.RowGroups) != 1 {
		return nil, nil, fmt.Errorf("a piece became %d groups of rows", len(metadata.RowGroups))
	}
	group := &metadata.RowGroups[0]
	end := move(group, at-int64(len(parquetMagic)))
	note, err = thrift.Marshal(new(thrift.CompactProtocol), group)
	return file[len(parquetMagic):end], note, err
}

// move adds to the offsets in a group of rows. It returns where its pages ended
// before. The page indices are left out: nobody searches vectors by their bounds.
func move(group *format.RowGroup, by int64) (end int64) {
	group.FileOffset += by
	for i := range group.Columns {
		column := &group.Columns[i]
		column.OffsetIndexOffset, column.OffsetIndexLength, column.ColumnIndexOffset, column.ColumnIndexLength = 0, 0, 0, 0
		m := &column.MetaData
		start := m.DataPageOffset
		if m.DictionaryPageOffset > 0 {
			start = m.DictionaryPageOffset
			m.DictionaryPageOffset += by
		}
		m.DataPageOffset += by
		column.FileOffset = 0 // deprecated: "writers should set it to 0"
		end = max(end, start+m.TotalCompressedSize)
	}
	return end
}

// write makes a file of a piece, or one without rows.
func (c *parquetCodec) write(p *piece) ([]byte, *format.FileMetaData, error) {
	var file bytes.Buffer
	w := parquet.NewWriter(&file, c.options...)
	rows := []parquet.Row{nil} // its memory serves for all
	for i := range p.vectors {
		rows[0] = c.appendRow(rows[0][:0], p, i)
		if _, err := w.WriteRows(rows); err != nil {
			return nil, nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	f, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, nil, err
	}
	return file.Bytes(), f.Metadata(), nil
}

// appendRow appends a row's values in the order of the file's columns.
func (c *parquetCodec) appendRow(row parquet.Row, p *piece, i int) parquet.Row {
	for column := range len(c.kept) + 1 {
		if column == c.vector {
			row = appendList(row, p.vectors[i], column)
			continue
		}
		k := slices.Index(c.places, column)
		row = append(row, valueOf(p.values[i][k], c.kept[k].Kind, column))
	}
	return row
}

// appendList writes a list, or a null for none. Its levels: 1 is a list without values,
// 2 a value; a value that does not begin a row repeats at level 1.
func appendList(row parquet.Row, v []float32, column int) parquet.Row {
	if v == nil {
		return append(row, parquet.NullValue().Level(0, 0, column))
	}
	for i, x := range v {
		row = append(row, parquet.FloatValue(x).Level(0, 2, column))
		if i > 0 {
			row[len(row)-1] = parquet.FloatValue(x).Level(1, 2, column)
		}
	}
	return row
}

func valueOf(v any, kind dataset.Kind, column int) parquet.Value {
	if v == nil {
		return parquet.NullValue().Level(0, 0, column)
	}
	if kind == dataset.KindText {
		v = asText(v)
	}
	return parquet.ValueOf(v).Level(0, 1, column)
}

func (c *parquetCodec) end(rows int64, notes [][]byte) (begin, tail []byte, err error) {
	_, metadata, err := c.write(&piece{})
	if err != nil {
		return nil, nil, err
	}
	if len(notes) > math.MaxInt16 {
		return nil, nil, fmt.Errorf("a Parquet file has at most %d groups of rows, and this one has %d: embed the input in parts, or write jsonl", math.MaxInt16, len(notes))
	}
	metadata.NumRows, metadata.RowGroups = rows, nil
	for i, note := range notes {
		var group format.RowGroup
		if err := thrift.Unmarshal(new(thrift.CompactProtocol), note, &group); err != nil {
			return nil, nil, fmt.Errorf("the journal's group of rows %d: %w", i, err)
		}
		group.Ordinal = int16(i)
		metadata.RowGroups = append(metadata.RowGroups, group)
	}
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), metadata)
	if err != nil {
		return nil, nil, err
	}
	tail = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return nil, append(tail, parquetMagic...), nil
}
