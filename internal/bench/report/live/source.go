package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report"
)

// Where paceline bench keeps a run under way.
const (
	spoolFile = "records.partial.jsonl" // its cells, a JSON value a line
	headFile  = "run.partial.json"      // what they belong to: the results without their cells
)

// source is a run on disk: its spool as long as there is one, then its results.
type source struct {
	dir   string
	seen  int64         // bytes of the spool that were read
	cells []record.Cell // of the spool
	spool bool          // whether the run is under way
	stamp string        // of the results that were read
	whole *record.Results
}

// open finds a run: one that is under way, one that is finished, or a stress test.
func open(dir string) (*source, error) {
	s := &source{dir: dir}
	if _, err := s.read(); err != nil {
		return nil, err
	}
	return s, nil
}

// finished says whether the run has ended.
func (s *source) finished() bool { return !s.spool }

// results are all records that were read.
func (s *source) results() (*record.Results, error) {
	if s.whole != nil {
		return s.whole, nil
	}
	r := report.FromCells(s.cells)
	text, err := os.ReadFile(filepath.Join(s.dir, headFile))
	if errors.Is(err, os.ErrNotExist) { // nothing is known but the cells
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	var head record.Results
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("%s: %w", headFile, err)
	}
	head.Cells, head.Manifest.Finished = s.cells, r.Manifest.Finished
	if len(s.cells) == 0 {
		head.Manifest.Finished = head.Manifest.Started
	}
	return &head, nil
}

// read takes in what the run has left since the last time, and says whether that is
// anything.
func (s *source) read() (grew bool, err error) {
	if info, err := os.Stat(s.dir); strings.HasSuffix(s.dir, ".partial") || err == nil && !info.IsDir() { // the records of a stress test
		return s.readWhole(s.dir)
	}
	file, err := os.Open(filepath.Join(s.dir, spoolFile))
	if errors.Is(err, os.ErrNotExist) {
		return s.readWhole(filepath.Join(s.dir, report.ResultsFile))
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	s.spool, s.whole, s.stamp = true, nil, ""
	return s.readSpool(file)
}

// readSpool decodes the whole lines that are new. One that is still being written is
// left for the next time.
func (s *source) readSpool(file *os.File) (grew bool, err error) {
	if info, err := file.Stat(); err == nil && info.Size() < s.seen { // another run began in the same directory
		s.seen, s.cells = 0, nil
	}
	data, err := io.ReadAll(io.NewSectionReader(file, s.seen, 1<<62))
	if err != nil {
		return false, err
	}
	end := bytes.LastIndexByte(data, '\n') + 1
	for line := range bytes.Lines(data[:end]) {
		var c record.Cell
		if err := json.Unmarshal(line, &c); err != nil {
			return false, fmt.Errorf("%s: cell %d: %w", file.Name(), len(s.cells), err)
		}
		s.cells = append(s.cells, c)
	}
	s.seen += int64(end)
	return end > 0, nil
}

// readWhole reads results again when their file is another than the one known. The
// records of a stress test take their name when it ends.
func (s *source) readWhole(path string) (grew bool, err error) {
	info, err := os.Stat(path)
	if partial, ok := strings.CutSuffix(path, ".partial"); err != nil && ok {
		return s.readWhole(partial)
	}
	if err != nil {
		if s.spool || s.whole != nil { // between the spool's end and the results' name
			return false, nil
		}
		return false, fmt.Errorf("%s holds no run: neither %s nor %s: %w", s.dir, spoolFile, report.ResultsFile, err)
	}
	stamp := fmt.Sprint(info.Size(), info.ModTime())
	if stamp == s.stamp {
		return false, nil
	}
	whole, err := report.Read(path)
	if err != nil {
		return false, err
	}
	s.whole, s.stamp, s.spool, s.cells = whole, stamp, strings.HasSuffix(path, ".partial"), nil
	return true, nil
}
