package page

import (
	"testing"
)

func TestShellLine(t *testing.T) {
	t.Parallel()
	got := shellLine([]string{"paceline", "bench", "--slo", "p99<50ms", "it's", "", "--out=dir/a_b"})
	if want := `paceline bench --slo 'p99<50ms' 'it'\''s' '' --out=dir/a_b`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
