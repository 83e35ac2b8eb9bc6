package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
)

// ResultsFile is the name of the raw records in a run's directory.
const ResultsFile = "results.json"

// ErrResults marks a results.json that cannot be read: not JSON, records that
// contradict each other, or a newer layout.
var ErrResults = errors.New("not a readable result")

// Read returns the records of a run: path is its directory, the results.json itself,
// or a file of a stress test. Errors name the file and what is wrong with it.
func Read(path string) (*record.Results, error) {
	if records, ok := recordsOf(path); ok {
		return readStress(records)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, ResultsFile)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	results, err := Decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return results, nil
}

// Decode reads and checks records from results.json.
func Decode(r io.Reader) (*record.Results, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var head struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResults, err)
	}
	// The layout is checked first: a newer one may not even parse as ours.
	switch {
	case head.Schema > record.Schema:
		return nil, fmt.Errorf("%w: its schema is %d and this paceline reads up to %d: use a newer paceline", ErrResults, head.Schema, record.Schema)
	case head.Schema < 1:
		return nil, fmt.Errorf("%w: it has no schema number, so it is no results.json of paceline bench", ErrResults)
	}
	var results record.Results
	if err := json.Unmarshal(data, &results); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResults, err)
	}
	if err := check(&results); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResults, err)
	}
	return &results, nil
}

// check finds records that contradict each other.
func check(r *record.Results) error {
	stacks := map[string]bool{}
	for _, s := range r.Stacks {
		if s.Name == "" || stacks[s.Name] {
			return fmt.Errorf("stack %q has no name or is listed twice", s.Name)
		}
		stacks[s.Name] = true
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		if !stacks[c.Stack] {
			return fmt.Errorf("cell %d is of stack %q, which is not among the stacks", i, c.Stack)
		}
		if err := checkCell(c); err != nil {
			return fmt.Errorf("cell %d (%s, %s, %s): %w", i, c.Stack, c.Sweep, figures.PointOf(c), err)
		}
	}
	return nil
}

func checkCell(c *record.Cell) error {
	q, s := &c.Requests, &c.Samples
	n := len(q.Outcome)
	if len(q.Intended) != n || len(q.Sent) != n || len(q.Finished) != n || len(q.Texts) != n {
		return fmt.Errorf("its columns of requests differ in length: intended %d, sent %d, finished %d, texts %d, outcome %d",
			len(q.Intended), len(q.Sent), len(q.Finished), len(q.Texts), n)
	}
	for i := range n {
		if q.Finished[i] < q.Intended[i] || q.Finished[i] < q.Sent[i] || q.Texts[i] < 0 {
			return fmt.Errorf("request %d finished before it was sent, or holds less than no text", i)
		}
	}
	// A service without a process on the client's machine has neither CPU nor RSS.
	if absentOr := func(n int) bool { return n == 0 || n == len(s.At) }; !absentOr(len(s.CPU)) || !absentOr(len(s.RSS)) {
		return fmt.Errorf("its columns of samples differ in length: at %d, cpu %d, rss %d", len(s.At), len(s.CPU), len(s.RSS))
	}
	if c.BatchSize < 0 || c.Concurrency < 0 || c.TextLength < 0 || c.Seconds < 0 {
		return errors.New("it has a negative size or length")
	}
	return nil
}
