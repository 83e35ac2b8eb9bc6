package bench

import (
	"math"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// tally sums a load up as it runs, in memory that does not grow with its length:
// latencies in a histogram of three significant digits, requests only until the
// window that they fall into is written.
type tally struct {
	texts func(seq int) int // of a request

	mu       sync.Mutex
	embedded int                     // texts of the successes
	latency  *hdrhistogram.Histogram // of successes from their intended time, in microseconds
	sum      time.Duration           // of the same
	service  time.Duration           // the same from the sending
	requests int
	late     int
	failures map[driver.Outcome]int
	pending  []load.Sample
	second   mark
	window   mark
}

// mark is where the last snapshot of a kind was taken.
type mark struct {
	successes int
	at        time.Duration
}

// longest is the latency that the histogram can hold; requests end before it.
const longest = time.Hour

func newTally(texts func(seq int) int) *tally {
	return &tally{texts: texts, latency: hdrhistogram.New(1, longest.Microseconds(), 3), failures: map[driver.Outcome]int{}}
}

// add counts one request.
func (t *tally) add(s load.Sample) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests++
	if s.Late() {
		t.late++
	}
	t.pending = append(t.pending, s)
	if s.Outcome != driver.OK {
		t.failures[s.Outcome]++
		return
	}
	t.embedded += t.texts(s.Seq)
	t.sum += s.Latency()
	t.service += s.Finished - s.Sent
	t.latency.RecordValue(min(max(s.Latency(), time.Microsecond), longest).Microseconds())
}

// cut hands over the requests since the last cut, with times from start on.
func (t *tally) cut(start time.Duration) (r record.Requests, late int) {
	t.mu.Lock()
	pending := t.pending
	t.pending = nil
	t.mu.Unlock()
	for _, s := range pending {
		if s.Late() {
			late++
		}
		r.Add(s.Intended-start, s.Sent-start, s.Finished-start, t.texts(s.Seq), 0, string(s.Outcome))
	}
	return r, late
}

func (t *tally) snapshot(m *mark, elapsed time.Duration) Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	successes := t.requests - t.failed()
	s := Snapshot{
		Elapsed: elapsed, Requests: t.requests, Failures: t.failed(), Late: t.late,
		P50: t.certified(0.50), P99: t.certified(0.99),
		PerSecond: float64(successes-m.successes) / (elapsed - m.at).Seconds(),
	}
	*m = mark{successes, elapsed}
	return s
}

func (t *tally) failed() (n int) {
	for _, count := range t.failures {
		n += count
	}
	return n
}

// quantile is the percentile p in seconds, of the rank that [stat.Percentile] takes;
// NaN without a success. The histogram's own rounding may take the rank below, which
// between two sizes of request is another number altogether.
func (t *tally) quantile(p float64) float64 {
	n := int(t.latency.TotalCount())
	if n == 0 {
		return math.NaN()
	}
	return float64(t.latency.ValueAtQuantile(100*float64(stat.Rank(n, p))/float64(n))) / 1e6
}

// certified is the same; NaN while too few successes stand behind it.
func (t *tally) certified(p float64) float64 {
	if t.latency.TotalCount() < int64(stat.MinSamples(p)) {
		return math.NaN()
	}
	return t.quantile(p)
}
