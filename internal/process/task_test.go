//go:build unix

package process

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func task(log, script string) Task {
	return Task{Name: "chore", Command: []string{"/bin/sh", "-c", script}, Env: []string{"WHAT=done"}, LogFile: log}
}

func TestRun(t *testing.T) {
	t.Parallel()
	log, dir := logFile(t), t.TempDir()
	var lines []string
	chore := task(log, "echo first; echo $WHAT >&2; pwd")
	chore.Dir, chore.Line = dir, func(line string) { lines = append(lines, line) }
	for range 2 {
		if err := Run(t.Context(), chore); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"first", "done", dir}
	if !slices.Equal(lines, append(want, want...)) {
		t.Errorf("lines %q", lines)
	}
	text, err := os.ReadFile(log)
	if err != nil || string(text) != strings.Repeat(strings.Join(want, "\n")+"\n", 2) {
		t.Errorf("log %q, %v", text, err)
	}
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	log := logFile(t)
	err := Run(t.Context(), task(log, "echo no space left; exit 7"))
	if err == nil || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "exit status 7") || !strings.Contains(err.Error(), log) {
		t.Errorf("%v: want the log's tail, its file and the exit status", err)
	}
}

// TestRunIsEnded: with the context goes the task, and what it left in the background.
func TestRunIsEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var child int
	chore := Task{Name: "chore", Command: []string{os.Args[0], "0"}, Env: []string{"PACELINE_TEST_ROLE=family"}, LogFile: logFile(t)}
	chore.Line = func(line string) {
		if strings.HasPrefix(line, "child ") {
			child = childOf(t, line)
			cancel()
		}
	}
	if err := Run(ctx, chore); !errors.Is(err, context.Canceled) {
		t.Errorf("%v: want the context's error", err)
	}
	gone(t, child)
}
