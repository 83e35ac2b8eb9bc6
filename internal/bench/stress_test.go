package bench

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
)

type snapshots struct{ seconds, windows []Snapshot }

func (s *snapshots) Second(x Snapshot) { s.seconds = append(s.seconds, x) }
func (s *snapshots) Window(x Snapshot) { s.windows = append(s.windows, x) }

func stressConfig(t *testing.T) (StressConfig, *snapshots) {
	watcher := &snapshots{}
	return StressConfig{
		Dialect: "poc", Texts: testTexts(100).Texts, BatchSize: 32, Clients: 4, Duration: 2 * time.Minute,
		Records: filepath.Join(t.TempDir(), "out", "records.jsonl.gz"), Watcher: watcher,
	}, watcher
}

// simulate runs in a synctest bubble against a service that is a function.
func (c StressConfig) simulate(ctx context.Context, source sample.Source, do load.Do) (*StressResult, error) {
	c.sleep = load.Rest
	loop, _, err := c.loader()
	if err != nil {
		return nil, err
	}
	return c.run(ctx, loop, source, &breakdown{}, do, func(int) int { return c.BatchSize })
}

// one request at a time, in the order of their coming.
func single(service func(seq int) (time.Duration, driver.Outcome)) load.Do {
	turn := make(chan struct{}, 1)
	return func(ctx context.Context, seq int) driver.Outcome {
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return driver.Canceled
		}
		took, outcome := service(seq)
		time.Sleep(took)
		<-turn
		return outcome
	}
}

func near(have *float64, want, share float64) bool {
	return have != nil && math.Abs(*have-want) <= share*want
}

// TestStressTruth: a service of a known law; one request in a hundred fails and
// counts in no percentile.
func TestStressTruth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, watcher := stressConfig(t)
		c.Clients = 1
		r, err := c.simulate(t.Context(), sample.Process(os.Getpid(), nil), single(func(seq int) (time.Duration, driver.Outcome) {
			if seq%100 == 99 {
				return 10 * time.Millisecond, driver.Server5xx // then the client pauses for as long again
			}
			return 20 * time.Millisecond, driver.OK
		}))
		if err != nil {
			t.Fatal(err)
		}
		// A hundred requests take 99 x 20 + 10 + 10 = 2,000 ms.
		if r.Requests != 6000 || r.Successful != 5940 || r.Errors[driver.Server5xx] != 60 || math.Abs(r.Seconds-120) > 0.02 {
			t.Errorf("%d requests, %d successes, errors %v in %v s", r.Requests, r.Successful, r.Errors, r.Seconds)
		}
		if l := r.Latency; !near(l.Mean, 0.02, 1e-9) || !near(l.P50, 0.02, 1e-3) || !near(l.P90, 0.02, 1e-3) || !near(l.P99, 0.02, 1e-3) {
			t.Errorf("latencies mean %v, p50 %v, p90 %v, p99 %v", *l.Mean, *l.P50, *l.P90, *l.P99)
		}
		if !near(&r.PerSecond, 49.5, 1e-3) || !near(&r.Embeddings, 49.5*32, 1e-3) || !near(&r.SuccessRate, 0.99, 1e-9) || r.Interrupted {
			t.Errorf("%+v", r)
		}
		if w, s := len(watcher.windows), len(watcher.seconds); w < 59 || w > 60 || s < 119 || s > 120 { // the last tick may meet the end
			t.Errorf("%d windows and %d seconds were shown", len(watcher.windows), len(watcher.seconds))
		}
		for _, w := range watcher.windows[1:] {
			if math.Abs(w.PerSecond-49.5) > 0.5 { // the failures are not among them
				t.Errorf("after %v: %v successful requests/s", w.Elapsed, w.PerSecond)
			}
		}
		if r.PeakMemory == nil || *r.PeakMemory == 0 || r.ServerCPU == nil || len(r.Uncertified) != 0 {
			t.Errorf("memory %v, CPU %v, uncertified %v", r.PeakMemory, r.ServerCPU, r.Uncertified)
		}
		checkRecords(t, c.Records, r)
	})
}

// checkRecords: the raw records hold every request once, within its window.
func checkRecords(t *testing.T, path string, r *StressResult) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	requests, next := 0, time.Time{}
	for decoder := json.NewDecoder(zip); ; {
		var c record.Cell
		if err := decoder.Decode(&c); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		requests += len(c.Requests.Outcome)
		if n := len(c.Requests.Finished); n > 0 && slices.Max(c.Requests.Finished) > int64(c.Seconds*1e6)+1 {
			t.Errorf("a request of window %d ended after it", c.Repeat)
		}
		if !next.IsZero() && c.Started.Sub(next).Abs() > time.Millisecond {
			t.Errorf("window %d begins at %v, the one before it ended at %v", c.Repeat, c.Started, next)
		}
		next = c.Started.Add(time.Duration(c.Seconds * float64(time.Second)))
	}
	if requests != r.Requests {
		t.Errorf("%d requests in the records, %d in the result", requests, r.Requests)
	}
	if left, _ := filepath.Glob(filepath.Dir(path) + "/*partial"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestStressOpenLoop: at four fifths of its capacity a service of 10 ms holds a
// constant schedule; frozen for a second, it makes the requests of that second late,
// and the percentiles say so: the backlog of 80 takes five seconds to shrink.
func TestStressOpenLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := stressConfig(t)
		c.Rate, c.Arrivals = 80, &load.ConstantArrivals
		law := func(seq int) time.Duration {
			if seq == 4000 {
				return time.Second
			}
			return 10 * time.Millisecond
		}
		r, err := c.simulate(t.Context(), nil, single(func(seq int) (time.Duration, driver.Outcome) { return law(seq), driver.OK }))
		if err != nil {
			t.Fatal(err)
		}
		var want []float64 // Lindley's recursion
		free := time.Duration(0)
		schedule, err := c.Arrivals.Schedule(c.Rate, c.Duration, c.Seed)
		if err != nil {
			t.Fatal(err)
		}
		for seq, at := range schedule {
			free = max(free, at) + law(seq)
			want = append(want, (free - at).Seconds())
		}
		slices.Sort(want)
		p99 := want[int(math.Ceil(0.99*float64(len(want))))-1]
		if p99 < 0.3 {
			t.Fatalf("p99 %v: the freeze does not show in the computed latencies", p99)
		}
		if !near(r.Latency.P99, p99, 0.02) || !near(r.Latency.P50, 0.01, 0.02) || r.Requests != len(want) || r.Late != 0 {
			t.Errorf("p99 %v, want %v; p50 %v; %d requests, %d late", *r.Latency.P99, p99, *r.Latency.P50, r.Requests, r.Late)
		}
		if r.ServerCPU != nil || r.PeakMemory != nil {
			t.Error("figures of a process that is not here")
		}
	})
}

// TestStressSparseSchedule: requests ten seconds apart are a tenth a second, also when
// the last of them is answered long before the time is over.
func TestStressSparseSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := stressConfig(t)
		c.Rate, c.Arrivals, c.BatchSize = 0.1, &load.ConstantArrivals, 1
		r, err := c.simulate(t.Context(), nil, single(func(int) (time.Duration, driver.Outcome) { return 20 * time.Millisecond, driver.OK }))
		if err != nil {
			t.Fatal(err)
		}
		if !near(&r.PerSecond, 0.1, 1e-9) || !near(&r.Embeddings, 0.1, 1e-9) || r.Requests != 12 || r.Seconds != 120 {
			t.Errorf("%d requests in %v s: %v a second", r.Requests, r.Seconds, r.PerSecond)
		}
	})
}

func TestStressInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := stressConfig(t)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second+time.Millisecond)
		defer cancel()
		r, err := c.simulate(ctx, nil, single(func(int) (time.Duration, driver.Outcome) { return 20 * time.Millisecond, driver.OK }))
		if err != nil {
			t.Fatal(err)
		}
		if !r.Interrupted || r.Requests < 1500 || r.Requests > 1501 || r.Warnings[0].Code != "interrupted" {
			t.Errorf("interrupted: %v, %d requests, %v", r.Interrupted, r.Requests, r.Warnings)
		}
		checkRecords(t, c.Records, r)
	})
}

// TestStressDoubts: a service that slows down, one that fails, one asked too little.
func TestStressDoubts(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	for name, law := range map[string]func(seq int) (time.Duration, driver.Outcome){
		"trend": func(seq int) (time.Duration, driver.Outcome) {
			return 20*ms + time.Duration(seq)*10*time.Microsecond, driver.OK
		},
		"errors": func(seq int) (time.Duration, driver.Outcome) {
			return 20 * ms, []driver.Outcome{driver.OK, driver.NaN}[seq%2]
		},
		"uncertified": func(int) (time.Duration, driver.Outcome) { return 3 * time.Second, driver.OK },
		"":            func(seq int) (time.Duration, driver.Outcome) { return 20*ms + time.Duration(seq*7919%13)*ms, driver.OK },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, _ := stressConfig(t)
				r, err := c.simulate(t.Context(), nil, single(law))
				if err != nil {
					t.Fatal(err)
				}
				var codes []string
				for _, w := range r.Warnings {
					if w.Code != "steal" && w.Code != "others" && w.Code != "client_busy" { // the clock of the test is not the CPU's
						codes = append(codes, w.Code)
					}
				}
				if got := strings.Join(codes, ","); got != name {
					t.Errorf("doubts %q, want %q: %v", got, name, r.Warnings)
				}
			})
		})
	}
}

func TestStressNothingSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := stressConfig(t)
		c.Duration = 10 * time.Second
		r, err := c.simulate(t.Context(), nil, func(context.Context, int) driver.Outcome { return driver.Overloaded })
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil || !strings.Contains(string(text), `"latency_metrics":{"mean":null,"p50":null,"p90":null,"p99":null}`) {
			t.Errorf("%v: %s", err, text)
		}
		if r.Successful != 0 || r.SuccessRate != 0 || r.Errors[driver.Overloaded] != r.Requests || r.Requests == 0 {
			t.Errorf("%d of %d succeeded, errors %v", r.Successful, r.Requests, r.Errors)
		}
	})
}

// TestStressUnreachable: said at once, and no file is left.
func TestStressUnreachable(t *testing.T) {
	t.Parallel()
	c, _ := stressConfig(t)
	c.URL = "http://127.0.0.1:1"
	r, err := Stress(t.Context(), c)
	if r != nil || err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:1 does not embed") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := os.Stat(filepath.Dir(c.Records)); err == nil {
		t.Error("a file of records was begun")
	}
}

// TestStressOverTheWire joins all parts, against the stub as a process of its own.
func TestStressOverTheWire(t *testing.T) {
	t.Parallel()
	c, _ := stressConfig(t)
	c.URL = (&stub{Limit: 32}).serve(t, "a").URL
	c.Duration = 50 * time.Millisecond
	r, err := Stress(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if r.Successful == 0 || r.Successful != r.Requests || r.PeakMemory == nil || !strings.Contains(r.Door, "PoC") || r.GPU == nil && r.GPUAbsent == "" {
		t.Errorf("%+v", r)
	}
	checkRecords(t, c.Records, r)
}

func TestThinned(t *testing.T) {
	t.Parallel()
	windows := make([]float64, 3000)
	for i := range windows {
		windows[i] = float64(i)
	}
	got := thinned(windows)
	if len(got) > mostWindows || len(got) < mostWindows/2 || !slices.IsSorted(got) || got[0] != 3.5 {
		t.Errorf("%d windows, the first is %v", len(got), got[0])
	}
}
