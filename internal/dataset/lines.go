package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// maxLine is the longest line that is read: a file without line ends must not fill the memory.
const maxLine = 64 << 20

// lineTexts are the lines of r, each turned into a text.
func lineTexts(r io.Reader, text func(line string) (string, error)) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxLine)
		number := 0
		for lines.Scan() {
			number++
			if number == 1 {
				line := bytes.TrimPrefix(lines.Bytes(), []byte("\ufeff"))
				if !yieldLine(yield, number, string(line), text) {
					return
				}
				continue
			}
			if !yieldLine(yield, number, lines.Text(), text) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("longer than %d bytes", maxLine)
			}
			yield("", fmt.Errorf("line %d: %w", number+1, err))
		}
	}
}

// yieldLine turns a line that is not empty into a text. It tells whether reading goes on.
func yieldLine(yield func(string, error) bool, number int, line string, text func(string) (string, error)) bool {
	if strings.TrimSpace(line) == "" {
		return true
	}
	t, err := text(line)
	if err != nil {
		err = fmt.Errorf("line %d: %w", number, err)
	}
	return yield(t, err) && err == nil
}

// lastColumn is the text of a line of tab-separated values.
func lastColumn(line string) (string, error) { return line[strings.LastIndexByte(line, '\t')+1:], nil }

// fromJSON is the text of a line of JSON.
func fromJSON(line string) (string, error) {
	var text string
	if strings.HasPrefix(strings.TrimSpace(line), `"`) {
		return text, json.Unmarshal([]byte(line), &text)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		return "", fmt.Errorf("want a JSON object or string: %w", err)
	}
	for _, name := range textFields {
		if json.Unmarshal(fields[name], &text) != nil {
			continue
		}
		var title string
		if json.Unmarshal(fields["title"], &title) == nil && title != "" {
			text = title + " " + text
		}
		return text, nil
	}
	return "", fmt.Errorf("no text in this object: want one of the fields %s", strings.Join(textFields, ", "))
}

// jsonTexts are the strings of a JSON list.
func jsonTexts(r io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		decoder := json.NewDecoder(bufio.NewReaderSize(r, 1<<20))
		if start, err := decoder.Token(); err != nil || start != json.Delim('[') {
			yield("", errors.Join(errors.New("want a JSON list of strings"), err))
			return
		}
		for number := 1; decoder.More(); number++ {
			var text string
			if err := decoder.Decode(&text); err != nil {
				yield("", fmt.Errorf("want a JSON list of strings: entry %d, byte %d: %w", number, decoder.InputOffset(), err))
				return
			}
			if !yield(text, nil) {
				return
			}
		}
		if _, err := decoder.Token(); err != nil {
			yield("", fmt.Errorf("the JSON list does not end: byte %d: %w", decoder.InputOffset(), err))
		}
	}
}
