package driver

import (
	"net/http"
	"testing"
	"time"
)

func TestTimesOf(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	none := Times{}
	for name, c := range map[string]struct {
		header http.Header
		want   Times
	}{
		"nothing": {http.Header{"Content-Type": {"application/json"}}, none},
		"ours": {http.Header{"Server-Timing": {"tokenise;dur=0.250, queue;dur=3.000, inference;dur=12.5, serialise;dur=1, total;dur=17"}},
			Times{TimesServer, 17 * ms, 3 * ms, 250 * time.Microsecond, 12500 * time.Microsecond, ms}},
		"quoted, in two lines, with others": {http.Header{"Server-Timing": {`db;dur=5, miss, queue;desc="a, b; dur=9 \" c";dur=2`, `INFERENCE; Dur="4"`}},
			Times{TimesServer, Untold, 2 * ms, Untold, 4 * ms, Untold}},
		"another's phases alone": {http.Header{"Server-Timing": {"db;dur=5"}}, none},
		"impossible":             {http.Header{"Server-Timing": {"queue;dur=-1, inference;dur=NaN, total;dur=1e300, tokenise;dur=x, serialise;dur"}}, none},
		"TEI's": {http.Header{"X-Total-Time": {"35"}, "X-Tokenization-Time": {"1"}, "X-Queue-Time": {"4"}, "X-Inference-Time": {"29"}, "X-Compute-Time": {"35"}},
			Times{TimesTEI, 35 * ms, 4 * ms, ms, 29 * ms, Untold}},
		"both": {http.Header{"X-Total-Time": {"35"}, "Server-Timing": {"total;dur=35.4"}}, Times{TimesServer, 35400 * time.Microsecond, Untold, Untold, Untold, Untold}},
	} {
		if got := timesOf(c.header); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// FuzzTimes: no header makes a phase negative, but Untold, or longer than a day.
func FuzzTimes(f *testing.F) {
	f.Add("queue;dur=1.5, total;desc=\"x, y\";dur=2")
	f.Add(`inference;dur="3`)
	f.Add(";;;,,,=")
	f.Fuzz(func(t *testing.T, line string) {
		got := timesOf(http.Header{"Server-Timing": {line}, "X-Queue-Time": {line}})
		for _, d := range []time.Duration{got.Total, got.Queue, got.Tokenize, got.Inference, got.Serialize} {
			if d < Untold || d > 24*time.Hour {
				t.Errorf("%q: %v", line, d)
			}
		}
	})
}
