//go:build unix

package stacks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
)

// TestBench compares a stack that computes something else, two that crash, in the
// middle and early, one that is not installed and Paceline itself: what fails is
// reported, the first gets a short look, the last is measured, and all were given the
// same threads.
func TestBench(t *testing.T) {
	t.Parallel()
	needPython(t)
	out := filepath.Join(t.TempDir(), "results")
	_, talk, code := run(t, environment(cache, ownStacks), "bench", "--stack", "small-bench,small-lost,small-early,langchain,paceline",
		"--model", model, "--threads", "1", "--quick", "--batch-sizes", "1,2", "--concurrency", "1,2", "--text-lengths", "50", "--out", out)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, talk)
	}
	results := readResults(t, out)
	cells := map[string]int{}
	for _, c := range results.Cells {
		cells[c.Stack]++
	}
	for i, want := range []struct {
		name, problem, environment string
		cells                      int // at least
	}{
		{"small-bench", "", "OMP_NUM_THREADS=1", 2},
		{"small-lost", "out of memory", "OMP_NUM_THREADS=1", 0},
		{"small-early", "out of memory", "OMP_NUM_THREADS=1", 0},
		{"langchain", "paceline stack install langchain", "", 0},
		{"paceline", "", "", 5},
	} {
		s := results.Stacks[i]
		if s.Name != want.name || (s.Error == "") != (want.problem == "") || !strings.Contains(s.Error, want.problem) {
			t.Errorf("%s: %q, want %q", s.Name, s.Error, want.problem)
		}
		if want.problem == "" && (cells[s.Name] < want.cells || s.ReadySeconds <= 0 || s.IdleBytes == 0) {
			t.Errorf("%s: %d cells, ready after %v s, %d bytes", s.Name, cells[s.Name], s.ReadySeconds, s.IdleBytes)
		}
		if !strings.Contains(s.Info["environment"], want.environment) {
			t.Errorf("%s: environment %q", s.Name, s.Info["environment"])
		}
	}
	if threads := results.Manifest.Machine.Threads; threads != 1 {
		t.Errorf("%d threads in the manifest", threads)
	}
	if paceline := results.Stacks[4].Agreement; !paceline.Comparable {
		t.Errorf("paceline: %+v", paceline)
	}
	if small := results.Stacks[0].Agreement; small.Comparable || small.Reason == "" {
		t.Errorf("counting letters passed for the model: %+v", small)
	}
}

// readResults reads the records of a run.
func readResults(t *testing.T, dir string) (results record.Results) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &results); err != nil {
		t.Fatal(err)
	}
	return results
}
