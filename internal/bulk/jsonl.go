package bulk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paceline/paceline/internal/dataset"
	"github.com/paceline/paceline/internal/decimal"
)

// jsonlCodec writes an object a line: the columns kept, as they were, and the vector,
// in the shortest decimals that read back to the same float32.
type jsonlCodec struct{ kept []dataset.Column }

func (jsonlCodec) begin() []byte { return nil }

func (c jsonlCodec) encode(p *piece, _ int64) (data, note []byte, err error) {
	for i, v := range p.vectors {
		data = append(data, '{')
		for k, column := range c.kept {
			if data, err = jsontext.AppendQuote(data, column.Name); err != nil {
				return nil, nil, fmt.Errorf("column %q: %w", column.Name, err)
			}
			if data, err = appendJSON(append(data, ':'), p.values[i][k]); err != nil {
				return nil, nil, fmt.Errorf("column %q: %w", column.Name, err)
			}
			data = append(data, ',')
		}
		data = append(data, `"`+vectorColumn+`":`...)
		data = append(appendVector(data, v), "}\n"...)
	}
	return data, nil, nil
}

func (jsonlCodec) end(int64, [][]byte) (begin, tail []byte, err error) { return nil, nil, nil }

// appendVector writes null for none.
func appendVector(b []byte, v []float32) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	return decimal.AppendVector(b, v)
}

func appendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return jsontext.AppendQuote(b, v)
	case json.RawMessage: // an entry of a list may run over lines
		var line bytes.Buffer
		err := json.Compact(&line, v)
		return append(b, line.Bytes()...), err
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(b, "null"...), nil // JSON has no such numbers
		}
	}
	raw, err := json.Marshal(v)
	return append(b, raw...), err
}
