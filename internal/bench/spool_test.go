package bench

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// TestRecover: what a run has on disk in its middle, with half a cell at the end, is
// all that was measured, in all its parts.
func TestRecover(t *testing.T) {
	t.Parallel()
	c, watcher := testConfig(t, (&stub{}).serve(t, "a"), (&stub{Negative: true}).serve(t, "b"))
	killed, at := t.TempDir(), 12
	watcher.measured = func(*record.Cell) {
		if len(watcher.cells) == at {
			copyRun(t, c.SpoolDir, killed)
		}
	}
	whole := run(t, c)
	if len(whole.Cells) <= at {
		t.Fatalf("%d cells in all: the test shows nothing", len(whole.Cells))
	}
	r, err := Recover(killed)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Cells) != at || r.Cells[at-1].Stack != whole.Cells[at-1].Stack || r.Cells[at-1].Sweep != whole.Cells[at-1].Sweep {
		t.Errorf("%d cells, want the first %d", len(r.Cells), at)
	}
	if len(r.Stacks) != 2 || !r.Stacks[0].Agreement.Comparable || r.Stacks[1].Agreement.Comparable {
		t.Errorf("stacks %+v", r.Stacks)
	}
	if m := r.Manifest; m.Finished.Before(m.Started.Add(time.Nanosecond)) || !m.Started.Equal(whole.Manifest.Started) {
		t.Errorf("from %v to %v", m.Started, m.Finished)
	}
	if !slices.ContainsFunc(r.Warnings, func(w record.Warning) bool { return w.Code == "killed" && strings.Contains(w.Text, "12 slices") }) {
		t.Errorf("warnings %v", r.Warnings)
	}
	if _, err := Recover(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing to recover: %v", err)
	}
}

// copyRun takes the files of a run under way and adds half a cell.
func copyRun(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Error(err)
		return
	}
	f, err := os.OpenFile(filepath.Join(to, SpoolFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	if _, err := f.WriteString(`{"stack":"a","sweep":"batch_`); err != nil {
		t.Error(err)
	}
}
