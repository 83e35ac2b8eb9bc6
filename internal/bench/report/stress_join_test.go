package report

import (
	"testing"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// windows are of two seconds each; in every so many, requests end, one after the other.
func windows(count, every, requests int) (cells []record.Cell) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for w := range count {
		c := record.Cell{Repeat: w, Started: start.Add(time.Duration(w) * 2 * time.Second), Seconds: 2, PeakBytes: int64(w)}
		c.Samples.At, c.Samples.CPU = []int64{0}, []float64{float64(w)}
		if w%every == 0 {
			for range requests {
				c.Requests.Add(-time.Second, -time.Second, time.Second, 32, 0, "ok")
			}
		}
		cells = append(cells, c)
	}
	return cells
}

// TestJoinWindows: where requests last longer than windows, windows are joined until their
// rates are those of many requests; nothing is lost or moved in time.
func TestJoinWindows(t *testing.T) {
	t.Parallel()
	joined := joinWindows(windows(63, 5, 10)) // 13 x 10 requests: 2.06 a window, so 5 make one of ten
	if len(joined) != 12 {
		t.Fatalf("%d windows", len(joined))
	}
	requests := 0
	for i, c := range joined {
		requests += len(c.Requests.Outcome)
		if c.Repeat != i || len(c.Requests.Outcome) < windowRequests {
			t.Errorf("window %d: repeat %d, %d requests", i, c.Repeat, len(c.Requests.Outcome))
		}
		if want := 10.0; i < 11 && c.Seconds != want {
			t.Errorf("window %d: %v s, want %v", i, c.Seconds, want)
		}
	}
	if requests != 130 {
		t.Errorf("%d requests of 130", requests)
	}
	last := joined[11] // windows 55 to 62
	if last.Seconds != 16 || last.PeakBytes != 62 || len(last.Samples.CPU) != 8 || last.Samples.At[7] != 14e6 {
		t.Errorf("the rest belongs to the last window: %v s, peak %d, samples %v", last.Seconds, last.PeakBytes, last.Samples.At)
	}
	if got := last.Requests.Finished[10]; got != 11e6 { // ended a second into window 60, ten after the start of 55
		t.Errorf("it finished after %d us", got)
	}
}

func TestJoinWindowsLeavesQuickServices(t *testing.T) {
	t.Parallel()
	if got := joinWindows(windows(60, 1, 10)); len(got) != 60 {
		t.Errorf("%d windows of 60", len(got))
	}
	if got := joinWindows(windows(60, 61, 0)); len(got) != 60 {
		t.Errorf("without a request: %d windows of 60", len(got))
	}
}
