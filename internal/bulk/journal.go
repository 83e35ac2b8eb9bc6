package bulk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/dataset"
)

// header is a journal's first line: what all rows of the file have in common.
type header struct {
	Version int `json:"paceline_embed"` // of the journal and of what the data file holds
	Origin
	Format Format           `json:"format"`
	Text   string           `json:"text_column,omitempty"`
	Kept   []dataset.Column `json:"columns,omitempty"`
}

const journalVersion = 1

// progress is a journal's other lines, one a piece: all that is done with it.
type progress struct {
	Counts
	Size   int64  `json:"size"`   // bytes of the data file
	Digest []byte `json:"digest"` // of the rows
	Note   []byte `json:"note,omitempty"`
	read   int64
}

// journal says which pieces of a data file are whole.
type journal struct {
	file   *os.File
	header []byte // nil: it is new
	pieces []progress
}

// openJournal reads a journal up to its first line that is not whole, and cuts it off
// there.
func openJournal(path string) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	j := &journal{file: file}
	if err := j.read(); err != nil {
		file.Close()
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return j, nil
}

func (j *journal) read() error {
	lines, size := bufio.NewReader(j.file), int64(0)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) || err == nil && !j.take(line) {
			break
		}
		if err != nil {
			return err
		}
		size += int64(len(line))
	}
	if err := j.file.Truncate(size); err != nil {
		return err
	}
	_, err := j.file.Seek(size, io.SeekStart)
	return err
}

// take tells whether a line is sound.
func (j *journal) take(line []byte) bool {
	if j.header == nil {
		var h header
		if json.Unmarshal(line, &h) != nil {
			return false
		}
		j.header = bytes.TrimSpace(line)
		return true
	}
	var p progress
	if json.Unmarshal(line, &p) != nil {
		return false
	}
	j.pieces = append(j.pieces, p)
	return true
}

// append makes a line last.
func (j *journal) append(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

// last is what is done.
func (j *journal) last() progress {
	if len(j.pieces) == 0 {
		return progress{}
	}
	return j.pieces[len(j.pieces)-1]
}

// differences says what is not as in the journal's header.
func (j *journal) differences(h header) (string, error) {
	now, err := json.Marshal(h)
	if err != nil {
		return "", err
	}
	var was, is map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(j.header, &was), json.Unmarshal(now, &is)); err != nil {
		return "", err
	}
	var list []string
	for name := range is {
		if !bytes.Equal(was[name], is[name]) {
			list = append(list, fmt.Sprintf("%s was %s and is %s", name, orNone(was[name]), is[name]))
		}
		delete(was, name)
	}
	for name, value := range was {
		list = append(list, fmt.Sprintf("%s was %s and is none", name, value))
	}
	slices.Sort(list)
	return strings.Join(list, "; "), nil
}

func orNone(raw json.RawMessage) string {
	if raw == nil {
		return "none"
	}
	return string(raw)
}
