package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
)

// jsonLines are objects or strings, one a line. Blank lines are nothing.
type jsonLines struct{ scan *lineScanner }

func (j *jsonLines) columns() ([]Column, error) {
	line, _ := j.scan.peek(notBlank)
	return fieldsOf([]byte(line)), nil
}

func (j *jsonLines) rows(want Selection) iter.Seq2[Row, error] {
	return j.scan.each(func(line string, row *Row) (bool, error) {
		if isBlank(line) {
			return false, nil
		}
		return true, parseObject([]byte(line), want, row)
	})
}

// jsonList is a list of objects or strings.
type jsonList struct {
	decoder *json.Decoder
	number  int64           // of the entry that was read last
	first   json.RawMessage // read and not yet a row
}

func newJSONList(r io.Reader) *jsonList {
	return &jsonList{decoder: json.NewDecoder(bufio.NewReaderSize(r, 1<<20))}
}

func (j *jsonList) columns() ([]Column, error) {
	if start, err := j.decoder.Token(); err != nil || start != json.Delim('[') {
		return nil, errors.Join(errors.New("want a JSON list of strings or objects"), err)
	}
	if !j.decoder.More() {
		return nil, nil
	}
	var err error
	j.first, err = j.next()
	return fieldsOf(j.first), err
}

// next reads an entry.
func (j *jsonList) next() (raw json.RawMessage, err error) {
	j.number++
	if j.first != nil {
		raw, j.first = j.first, nil
		j.number-- // it was counted when it was read
		return raw, nil
	}
	if err := j.decoder.Decode(&raw); err != nil {
		return nil, fmt.Errorf("entry %d, byte %d: %w", j.number, j.decoder.InputOffset(), err)
	}
	return raw, nil
}

func (j *jsonList) rows(want Selection) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for j.first != nil || j.decoder.More() {
			raw, err := j.next()
			row := Row{Number: j.number}
			if err == nil {
				if err = parseObject(raw, want, &row); err != nil {
					err = fmt.Errorf("entry %d, byte %d: %w", j.number, j.decoder.InputOffset(), err)
				}
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
		if _, err := j.decoder.Token(); err != nil {
			yield(Row{}, fmt.Errorf("the JSON list does not end: byte %d: %w", j.decoder.InputOffset(), err))
		}
	}
}

// fieldsOf are the fields of an object, by name; of anything else there are none.
func fieldsOf(raw []byte) []Column {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return nil
	}
	columns := []Column{}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		columns = append(columns, Column{name, KindText})
	}
	return columns
}

// parseObject fills a row from a JSON object or string.
func parseObject(raw []byte, want Selection, row *Row) error {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte(`"`)) {
		row.Values = make([]any, len(want.Keep))
		return json.Unmarshal(raw, &row.Text)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("want a JSON object or string: %w", err)
	}
	for _, name := range want.Keep {
		var value any
		if v := fields[name]; v != nil && string(v) != "null" {
			value = v
		}
		row.Values = append(row.Values, value)
	}
	return textOf(fields, want, row)
}

// textOf finds an object's text: the first field of a likely name that is one.
func textOf(fields map[string]json.RawMessage, want Selection, row *Row) error {
	other := ""
	for _, name := range want.textNames() {
		if fields[name] == nil {
			continue
		}
		if json.Unmarshal(fields[name], &row.Text) != nil {
			other = name
			continue
		}
		var title string
		if want.Text == "" && json.Unmarshal(fields["title"], &title) == nil && title != "" {
			row.Text = title + " " + row.Text
		}
		return nil
	}
	if other != "" {
		return fmt.Errorf("the field %s holds %.40s, not text", other, fields[other])
	}
	row.Missing = true
	return nil
}
