package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/record"
)

// double is a service without a network, for the fake clock of a synctest bubble: its
// a request's texts are embedded one after the other, requests side by side.
type double struct {
	request, text time.Duration // that each takes
	hangs         int           // requests after which it keeps silent; 0: never
	tires         time.Duration // after which it takes twenty times as long; 0: never
	negative      bool          // another model's vectors

	mu       sync.Mutex
	requests int
	began    time.Time
}

// doubles are the services of the dialect "double" by URL.
var doubles sync.Map

func openDouble(dialect, url string, o driver.Options) (driver.Driver, error) {
	if d, known := doubles.Load(url); known && dialect == "double" {
		return d.(driver.Driver), nil
	}
	return driver.Open(dialect, url, o)
}

func (d *double) stack(t *testing.T, name string) Stack {
	url := "http://" + strings.ReplaceAll(t.Name(), "/", ".") + "." + name + ".invalid"
	doubles.Store(url, d)
	t.Cleanup(func() { doubles.Delete(url) })
	return Stack{Name: name, Dialect: "double", URL: url}
}

func (d *double) Door() string { return "double" }

func (d *double) Prepare(texts []string) (*driver.Request, error) {
	return &driver.Request{Texts: len(texts)}, nil
}

func (d *double) Close() {}

func (d *double) Send(ctx context.Context, r *driver.Request) driver.Reply {
	d.mu.Lock()
	d.requests++
	silent := d.hangs > 0 && d.requests > d.hangs
	texts := r.Texts
	if d.requests == 1 {
		d.began = time.Now()
	}
	if d.tires > 0 && time.Since(d.began) > d.tires {
		texts *= 20
	}
	d.mu.Unlock()
	if silent {
		<-ctx.Done()
	} else if d.work(ctx, texts) {
		return driver.Reply{Outcome: driver.OK}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return driver.Reply{Outcome: driver.Canceled}
	}
	return driver.Reply{Outcome: driver.Timeout, Detail: "no reply"}
}

// work takes the time of a request, or until ctx ends. No timer is due when it is made: two goroutines of a bubble
// that find such ones at once crash under Go 1.26's race detector.
func (d *double) work(ctx context.Context, texts int) bool {
	for _, took := range []time.Duration{d.request, d.text * time.Duration(texts)} {
		if took <= 0 {
			continue
		}
		timer := time.NewTimer(took)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (d *double) Embed(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	if reply := d.Send(ctx, &driver.Request{Texts: len(texts)}); reply.Outcome != driver.OK {
		return nil, &driver.Failure{Reply: reply}
	}
	for _, text := range texts {
		v := unit(vectorOf(text))
		if d.negative {
			v[0], v[1] = -v[1], v[0]
		}
		vectors = append(vectors, v)
	}
	return vectors, nil
}

// TestBudgetHolds: whatever the other targets do, a run is over when its budget is,
// says what became of each, and measures the one that works.
func TestBudgetHolds(t *testing.T) {
	t.Parallel()
	good := func() *double { return &double{request: time.Millisecond, text: 2 * time.Millisecond} }
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		others []*double
		quick  string // in the error of each; empty: none
		usual  string
	}{
		"there are none":              {nil, "", ""},
		"silent from the start":       {[]*double{{request: time.Hour}}, "given up on after", "given up on after"},
		"five silent ones":            {[]*double{{request: time.Hour}, {request: time.Hour}, {request: time.Hour}, {request: time.Hour}, {request: time.Hour}}, "given up on after", "given up on after"},
		"silent when compared":        {[]*double{{hangs: 1}, {hangs: 2}, {hangs: 3}}, "cannot embed the probe texts: it was given up on after", "cannot embed the probe texts: it was given up on after"},
		"silent when warmed up":       {[]*double{{text: ms, hangs: 4}}, "given up on after", "given up on after"},
		"silent in the middle":        {[]*double{{text: 2 * ms, hangs: 100}}, "did not answer at", "did not answer at"},
		"takes 20 s to answer":        {[]*double{{request: 20 * time.Second}}, "given up on after", "given up on after"},
		"three a second":              {[]*double{{text: 333 * ms}}, "too slow for a quick run", ""},
		"half as fast":                {[]*double{{text: 4 * ms}}, "", ""},
		"a request takes a second":    {[]*double{{request: time.Second}}, "", ""},
		"another model":               {[]*double{{negative: true, text: ms}}, "", ""},
		"another model, silent later": {[]*double{{negative: true, text: ms, hangs: 12}}, "did not answer at", "did not answer at"},
	} {
		for _, effort := range []Effort{Quick, Default} {
			t.Run(effort.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					stacks := []Stack{good().stack(t, "good")}
					for i, d := range c.others {
						d := &double{request: d.request, text: d.text, hangs: d.hangs, negative: d.negative}
						stacks = append(stacks, d.stack(t, fmt.Sprint("other", i)))
					}
					config, _ := testConfig(t, stacks...)
					config.Effort = effort
					config.Points = Points([]int{1, 8, 32, 64}, []int{1, 4, 8}, 32)
					r := run(t, config)
					if took := r.Manifest.Finished.Sub(r.Manifest.Started); took > effort.Budget+time.Millisecond {
						t.Errorf("the run took %v of %v", took, effort.Budget)
					}
					want := c.quick
					if effort.Name == Default.Name {
						want = c.usual
					}
					checkTargets(t, r, want)
				})
			})
		}
	}
}

func checkTargets(t *testing.T, r *record.Results, want string) {
	t.Helper()
	for _, s := range r.Stacks[1:] {
		if (want == "") != (s.Error == "") || !strings.Contains(s.Error, want) {
			t.Errorf("%s: error %q, want %q", s.Name, s.Error, want)
		}
	}
	if good := r.Stacks[0]; good.Error != "" || good.MaxBatch.Size < 64 {
		t.Errorf("the one that works: %+v", good)
	}
	whole := map[record.Sweep]int{}
	for _, c := range r.Cells {
		if c.Stack == "good" && c.Invalid == "" {
			whole[c.Sweep]++
		}
	}
	for _, sweep := range []record.Sweep{record.SweepBatchSize, record.SweepConcurrency, record.SweepOffline, record.SweepOnline, record.SweepTextLength} {
		if whole[sweep] == 0 {
			t.Errorf("the one that works has no cell of %s that was not cut off: %v", sweep, whole)
		}
	}
}

// TestTooSlow: three stacks that are fast enough by themselves would leave no time for
// the fourth; those of like speed are measured together however slow they are.
func TestTooSlow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ fast, slow, lost int }{"one fast": {1, 3, 0}, "one slow": {3, 1, 1}, "all slow": {0, 4, 0}, "most fast": {4, 2, 2}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var stacks []Stack
				for i := range c.fast + c.slow {
					text := time.Millisecond
					if i >= c.fast {
						text = 120 * time.Millisecond
					}
					stacks = append(stacks, (&double{text: text}).stack(t, fmt.Sprint(i)))
				}
				config, _ := testConfig(t, stacks...)
				config.Effort = Quick
				config.Points = Points([]int{1, 8, 32, 64}, []int{1, 4, 8}, 32)
				lost := 0
				for i, s := range run(t, config).Stacks {
					switch {
					case s.Error == "":
					case i < c.fast || !strings.Contains(s.Error, "is too slow for a quick run of"):
						t.Errorf("stack %d: %s", i, s.Error)
					default:
						lost++
					}
				}
				if lost != c.lost {
					t.Errorf("%d were left out, want %d", lost, c.lost)
				}
			})
		})
	}
}

// TestCutOffAtTheEnd: a stack that becomes too slow for the effort is measured until
// the time is over; what the slice under way had is kept and marked.
func TestCutOffAtTheEnd(t *testing.T) {
	t.Parallel()
	marked := 0
	for tires := time.Second; tires < 8*time.Second; tires += 500 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			config, _ := testConfig(t, (&double{text: 5 * time.Millisecond, tires: tires}).stack(t, "tired"))
			config.Effort, config.ByLength = Quick, nil
			r := run(t, config)
			if took := r.Manifest.Finished.Sub(r.Manifest.Started); took > Quick.Budget {
				t.Errorf("the run took %v of %v", took, Quick.Budget)
			}
			last := r.Cells[len(r.Cells)-1]
			if strings.Contains(last.Invalid, "the run's time was over") {
				marked++
			}
			if n := len(last.Requests.Outcome); n == 0 || slices.Contains(last.Requests.Outcome, string(driver.Timeout)) {
				t.Errorf("the last of %d cells: %q with %d requests, %v", len(r.Cells), last.Invalid, n, last.Requests.Outcome)
			}
			if r.Stacks[0].Error != "" {
				t.Errorf("it was called failed: %s", r.Stacks[0].Error)
			}
		})
	}
	if marked == 0 {
		t.Error("no run ended in the middle of a slice: the test shows nothing")
	}
}

// TestShortLook: a target that computes something else costs the others little.
func TestShortLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		config, _ := testConfig(t, (&double{text: 1e6}).stack(t, "good"), (&double{text: 1e6, negative: true}).stack(t, "other"))
		r := run(t, config)
		var seen []record.Sweep
		for _, c := range r.Cells {
			if c.Stack == "other" {
				seen = append(seen, c.Sweep)
			}
		}
		if !slices.Equal(seen, []record.Sweep{record.SweepOnline, record.SweepOffline}) {
			t.Errorf("the other model was measured in %v", seen)
		}
	})
}

// TestTooSlowAfterTheEnd: when the time is over nobody is left out any more.
func TestTooSlowAfterTheEnd(t *testing.T) {
	t.Parallel()
	b := &bench{Config: Config{Effort: Quick, Watcher: &events{}, Points: Points([]int{1}, []int{1}, 32)}}
	b.Manifest.Started = time.Now().Add(-Quick.Budget)
	for _, perText := range []float64{0.001, 1} {
		b.stacks = append(b.stacks, &stack{speed: speed{perText: perText}})
	}
	ctx, cancel := b.limited(t.Context())
	defer cancel()
	<-ctx.Done()
	b.leaveOutSlow(ctx)
	for _, s := range b.stacks {
		if s.record.Error != "" {
			t.Errorf("%s", s.record.Error)
		}
	}
}
