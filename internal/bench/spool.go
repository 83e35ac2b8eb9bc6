package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
)

// spool keeps the measured cells on disk while the run goes on, one JSON value a
// line, and what they belong to in a file of its own: memory stays bounded, and
// whatever ends the run finds them written.
type spool struct {
	file *os.File
	head string
}

// Files of a run under way; those that are left behind are of a run that was killed.
const (
	SpoolFile = "records.partial.jsonl" // a cell a line
	headFile  = "run.partial.json"      // the results without their cells
)

func newSpool(dir string) (*spool, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("spool the records: %w", err)
	}
	file, err := os.Create(filepath.Join(dir, SpoolFile))
	if err != nil {
		return nil, fmt.Errorf("spool the records: %w", err)
	}
	return &spool{file, filepath.Join(dir, headFile)}, nil
}

func (s *spool) add(c *record.Cell) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = s.file.Write(append(line, '\n'))
	return err
}

// note writes what the cells belong to, as far as it is known; never half of it.
func (s *spool) note(r *record.Results) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.head+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(s.head+".new", s.head)
}

// cells reads all of them back.
func (s *spool) cells() ([]record.Cell, error) {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the spooled records: %w", err)
	}
	list, err := readCells(s.file)
	if err != nil {
		return nil, fmt.Errorf("read the spooled records: %w", err)
	}
	return list, nil
}

// readCells returns those before an error too.
func readCells(r io.Reader) (list []record.Cell, err error) {
	decoder := json.NewDecoder(bufio.NewReader(r))
	for {
		var c record.Cell
		if err := decoder.Decode(&c); err == io.EOF {
			return list, nil
		} else if err != nil {
			return list, err
		}
		list = append(list, c)
	}
}

func (s *spool) remove() {
	s.file.Close()
	os.Remove(s.file.Name())
	os.Remove(s.head)
}

// Recover reads what a run that was killed left behind in dir, marked as such. A cell
// that it was writing is left out.
func Recover(dir string) (*record.Results, error) {
	text, err := os.ReadFile(filepath.Join(dir, headFile))
	if err != nil {
		return nil, fmt.Errorf("recover a run: %w", err)
	}
	var r record.Results
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("recover a run: %s: %w", headFile, err)
	}
	file, err := os.Open(filepath.Join(dir, SpoolFile))
	if err != nil {
		return nil, fmt.Errorf("recover a run: %w", err)
	}
	defer file.Close()
	r.Cells, _ = readCells(file) // cells are only ever added, so what cannot be read is the torn end
	r.Manifest.Finished = r.Manifest.Started
	for _, c := range r.Cells {
		if end := c.Started.Add(seconds(c.Seconds)); end.After(r.Manifest.Finished) {
			r.Manifest.Finished = end
		}
	}
	r.Warnings = append(r.Warnings, record.Warning{
		Code:   "killed",
		Text:   fmt.Sprintf("The run was killed after %s, which %s holds: cells have fewer repeats than planned, or none.", english.Plural(len(r.Cells), "slice", ""), SpoolFile),
		Advice: "Repeat it to its end before you decide anything by it.",
	})
	return &r, nil
}
