package page

import (
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
)

func TestShellLine(t *testing.T) {
	t.Parallel()
	got := shellLine([]string{"paceline", "bench", "--slo", "p99<50ms", "it's", "", "--out=dir/a_b"})
	if want := `paceline bench --slo 'p99<50ms' 'it'\''s' '' --out=dir/a_b`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestChecks: what has not been checked did not pass. A stress test that is under way
// or was killed has no command in its manifest.
func TestChecks(t *testing.T) {
	t.Parallel()
	cells := []record.Cell{{}, {}}
	failed := []record.Cell{{}, {Invalid: "it drifted"}}
	for _, c := range []struct {
		name    string
		cells   []record.Cell
		stress  bool
		command []string
		want    string
	}{
		{"nothing", nil, false, nil, "Nothing was measured"},
		{"a run under way", cells, false, nil, "2 timed slices passed"},
		{"one slice", cells[:1], false, nil, "1 timed slice passed"},
		{"one failed", failed, false, nil, "1 of 2 timed slices failed"},
		{"a stress test", cells, true, []string{"paceline", "stress"}, "2 timed slices passed"},
		{"one that drifted", failed, true, []string{"paceline", "stress"}, "1 of 2 timed slices failed"},
		{"one under way", cells, true, nil, "The 2 windows have not been checked"},
		{"one that began", cells[:1], true, nil, "The 1 window has not been checked"},
	} {
		r := &record.Results{Cells: c.cells, Manifest: record.Manifest{Command: c.command}}
		if got := newChecks(r, c.stress).String(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
