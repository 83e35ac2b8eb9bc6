package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/paceline/paceline/internal/bench/record"
)

// spool keeps the measured cells on disk while the run goes on, one JSON value a
// line: memory stays bounded, and whatever ends the run finds them written.
type spool struct {
	file *os.File
}

// SpoolFile is the name of the records of a run under way; one that is left
// behind is of a run that was killed.
const SpoolFile = "records.partial.jsonl"

func newSpool(dir string) (*spool, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("spool the records: %w", err)
	}
	file, err := os.Create(filepath.Join(dir, SpoolFile))
	if err != nil {
		return nil, fmt.Errorf("spool the records: %w", err)
	}
	return &spool{file}, nil
}

func (s *spool) add(c *record.Cell) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = s.file.Write(append(line, '\n'))
	return err
}

// cells reads all of them back.
func (s *spool) cells() (list []record.Cell, err error) {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the spooled records: %w", err)
	}
	decoder := json.NewDecoder(bufio.NewReader(s.file))
	for {
		var c record.Cell
		if err := decoder.Decode(&c); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the spooled records: %w", err)
		}
		list = append(list, c)
	}
}

func (s *spool) remove() {
	s.file.Close()
	os.Remove(s.file.Name())
}
