package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// maxLine is the longest line that is read: a file without line ends must not fill the memory.
const maxLine = 64 << 20

// lineScanner reads lines, and the first of them as often as it is asked for.
type lineScanner struct {
	scan   *bufio.Scanner
	number int64
	peeked bool // the line that was scanned last is still to be read
}

func newLineScanner(r io.Reader) *lineScanner {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 64<<10), maxLine)
	return &lineScanner{scan: scan}
}

// next goes to the next line, if there is one.
func (s *lineScanner) next() bool {
	if s.peeked {
		s.peeked = false
		return true
	}
	s.number++
	return s.scan.Scan()
}

// peek goes to the first line for which ok holds; the next next finds it again.
func (s *lineScanner) peek(ok func(line string) bool) (line string, found bool) {
	for s.next() {
		if line := s.line(); ok(line) {
			s.peeked = true
			return line, true
		}
	}
	return "", false
}

// line is the line that next went to.
func (s *lineScanner) line() string {
	line := s.scan.Bytes()
	if s.number == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return string(line)
}

// err is why there is no next line, nil at the end.
func (s *lineScanner) err() error {
	err := s.scan.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("longer than %d bytes", maxLine)
	}
	if err != nil {
		err = fmt.Errorf("line %d: %w", s.number, err)
	}
	return err
}

// each makes rows of lines: parse fills in what it does not know, or says that the
// line is none.
func (s *lineScanner) each(parse func(line string, row *Row) (ok bool, err error)) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for s.next() {
			row := Row{Number: s.number}
			ok, err := parse(s.line(), &row)
			if err != nil {
				yield(row, fmt.Errorf("line %d: %w", s.number, err))
				return
			}
			if ok && !yield(row, nil) {
				return
			}
		}
		if err := s.err(); err != nil {
			yield(Row{}, err)
		}
	}
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

func notBlank(s string) bool { return !isBlank(s) }

// plainLines are texts, one a line.
type plainLines struct{ scan *lineScanner }

func (plainLines) columns() ([]Column, error) { return nil, nil }

func (p plainLines) rows(Selection) iter.Seq2[Row, error] {
	return p.scan.each(func(line string, row *Row) (bool, error) {
		row.Text = line
		return true, nil
	})
}

// tabLines are lines of tab-separated values, the last of which is the text. The first
// of several is the id.
type tabLines struct{ scan *lineScanner }

func (t *tabLines) columns() ([]Column, error) {
	if line, _ := t.scan.peek(notBlank); strings.Contains(line, "\t") {
		return []Column{{Name: "id", Kind: KindText}}, nil
	}
	return nil, nil
}

func (t *tabLines) rows(want Selection) iter.Seq2[Row, error] {
	return t.scan.each(func(line string, row *Row) (bool, error) {
		row.Text = line[strings.LastIndexByte(line, '\t')+1:]
		row.Values = make([]any, len(want.Keep)) // there is none but the id
		if id, _, ok := strings.Cut(line, "\t"); ok && len(row.Values) > 0 {
			row.Values[0] = id
		}
		return true, nil
	})
}
