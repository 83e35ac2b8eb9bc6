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

// csvTexts are the texts of comma-separated values (RFC 4180): of the column that is named as a text, or of the only
// column.
func csvTexts(r io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		records := csv.NewReader(r)
		records.ReuseRecord = true
		header, err := records.Read()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				yield("", err)
			}
			return
		}
		column, named := textColumn(header)
		if !named && len(header) > 1 {
			yield("", fmt.Errorf("line 1: no column is named %s: %q", strings.Join(textFields, ", "), header))
			return
		}
		if !named && !yield(header[0], nil) {
			return
		}
		for {
			record, err := records.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield("", err) // it names the line
				return
			}
			if !yield(strings.Clone(record[column]), nil) {
				return
			}
		}
	}
}

// textColumn is the likeliest column for a text.
func textColumn(names []string) (column int, found bool) {
	for _, field := range textFields {
		i := slices.IndexFunc(names, func(name string) bool {
			return strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")), field)
		})
		if i >= 0 {
			return i, true
		}
	}
	return 0, false
}
