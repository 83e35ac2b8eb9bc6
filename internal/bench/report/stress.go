package report

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// The files of a stress test: its result, its raw records, and those of one that is
// under way or was killed.
const (
	stressRecords = ".jsonl.gz"
	stressPartial = stressRecords + ".partial"
)

// Dir is where the report of a run goes: beside its results.json; of a stress test,
// whose directory holds several, in one of its own name.
func Dir(path string) string {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return path
	}
	if records, ok := recordsOf(path); ok {
		return strings.TrimSuffix(strings.TrimSuffix(records, ".partial"), stressRecords)
	}
	return filepath.Dir(path)
}

// recordsOf finds the raw records of a stress test: path itself, or beside its result.
func recordsOf(path string) (records string, ok bool) {
	if strings.HasSuffix(path, stressRecords) || strings.HasSuffix(path, stressPartial) {
		return path, true
	}
	records = strings.TrimSuffix(path, ".json") + stressRecords
	_, err := os.Stat(records)
	return records, err == nil && records != path
}

// stressHead is what a report needs of stress_test_results_….json.
type stressHead struct {
	Door     string           `json:"door"`
	Warnings []record.Warning `json:"warnings"`
	Manifest record.Manifest  `json:"manifest"`
}

// readStress makes a run of a stress test: one stack, whose windows are its cells.
func readStress(records string) (*record.Results, error) {
	cells, err := readWindows(records)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", records, err)
	}
	head, err := readStressHead(strings.TrimSuffix(records, stressRecords) + ".json")
	if err != nil {
		return nil, err
	}
	r := FromCells(joinWindows(cells))
	for i := range r.Stacks {
		r.Stacks[i].Door = head.Door
	}
	if !head.Manifest.Started.IsZero() {
		r.Manifest = head.Manifest
	}
	r.Warnings = head.Warnings
	for i := range r.Cells {
		r.Cells[i].Invalid = cmp.Or(r.Cells[i].Invalid, head.invalid())
	}
	return r, check(r)
}

// disqualifying are the doubts under which a load's figures are not to be believed, as
// a slice's would not. The others explain or limit them.
var disqualifying = []string{"errors", "late", "client_busy", "trend"}

// invalid says why no window of the test may be believed: its checks are of all
// requests together, since one late one of ten would reject a window by chance.
func (h stressHead) invalid() string {
	for _, w := range h.Warnings {
		if slices.Contains(disqualifying, w.Code) {
			return w.String()
		}
	}
	return ""
}

// readStressHead is empty where there is no result: a killed test left its records only.
func readStressHead(path string) (head stressHead, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return head, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &head)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w: %w", path, ErrResults, err)
	}
	return head, err
}

// readWindows reads up to the last whole window: a killed test's file ends within one.
func readWindows(path string) ([]record.Cell, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	begun := strings.HasSuffix(path, stressPartial) // its first window is still to come
	if begun && errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResults, err)
	}
	cells, decoder := []record.Cell(nil), json.NewDecoder(zip)
	for {
		var c record.Cell
		switch err := decoder.Decode(&c); {
		case (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) && len(cells) == 0 && !begun:
			return nil, fmt.Errorf("%w: it holds no whole window", ErrResults)
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return cells, nil
		case err != nil:
			return nil, fmt.Errorf("%w: window %d: %w", ErrResults, len(cells), err)
		}
		cells = append(cells, c)
	}
}

// FromCells makes a run of cells alone, as they lie on disk while it is under way: its
// stacks are those that occur, whose vectors nobody has compared.
func FromCells(cells []record.Cell) *record.Results {
	r := &record.Results{Schema: record.Schema, Cells: cells}
	seen := map[string]bool{}
	for _, c := range cells {
		if began := c.Started; r.Manifest.Started.IsZero() || began.Before(r.Manifest.Started) {
			r.Manifest.Started = began
		}
		if ended := c.Started.Add(time.Duration(c.Seconds * float64(time.Second))); ended.After(r.Manifest.Finished) {
			r.Manifest.Finished = ended
		}
		if !seen[c.Stack] {
			seen[c.Stack] = true
			r.Stacks = append(r.Stacks, record.Stack{Name: c.Stack, Agreement: record.Agreement{Comparable: true}})
		}
	}
	return r
}
