package load

import (
	"context"
	"iter"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/bench/driver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// single is a service that does one request at a time, in the order of their
// coming, with a given service time for each; in a synctest bubble it runs on
// the bubble's clock.
func single(service func(seq int) time.Duration) Do {
	turn := make(chan struct{}, 1)
	return func(_ context.Context, seq int) driver.Outcome {
		turn <- struct{}{}
		time.Sleep(service(seq))
		<-turn
		return driver.OK
	}
}

func steady(d time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return d }
}

func collect(samples *[]Sample) Sink { return func(s Sample) { *samples = append(*samples, s) } }

// TestClosedTruth: n clients at a service of one request in 10 ms finish 100 a
// second, and each waits n times 10 ms.
func TestClosedTruth(t *testing.T) {
	t.Parallel()
	for _, clients := range []int{1, 2, 8} {
		synctest.Test(t, func(t *testing.T) {
			var got []Sample
			run := Closed{Clients: clients, Requests: 100}.Run(t.Context(), single(steady(10*time.Millisecond)), collect(&got))
			if len(got) != 100 || run.Elapsed != time.Second {
				t.Fatalf("%d clients: %d requests in %v, want 100 in 1s", clients, len(got), run.Elapsed)
			}
			for _, s := range got[clients:] {
				if s.Latency() != time.Duration(clients)*10*time.Millisecond {
					t.Errorf("%d clients: request %d took %v", clients, s.Seq, s.Latency())
				}
			}
		})
	}
}

func TestClosedBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		load Closed
		want int
		end  time.Duration
	}{
		{"count", Closed{Clients: 3, Requests: 7}, 7, 70 * time.Millisecond},
		{"time", Closed{Clients: 1, Duration: 95 * time.Millisecond}, 10, 100 * time.Millisecond}, // the last is waited for
		{"both, count first", Closed{Clients: 1, Requests: 2, Duration: time.Second}, 2, 20 * time.Millisecond},
		{"fewer requests than clients", Closed{Clients: 9, Requests: 2}, 2, 20 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got []Sample
				run := c.load.Run(t.Context(), single(steady(10*time.Millisecond)), collect(&got))
				if len(got) != c.want || run.Elapsed != c.end {
					t.Errorf("%d requests in %v, want %d in %v", len(got), run.Elapsed, c.want, c.end)
				}
			})
		})
	}
}

// TestClosedSparesARefusingService: a failing client asks less and less often,
// and at full speed again after a success.
func TestClosedSparesARefusingService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got []Sample
		refuse := func(_ context.Context, seq int) driver.Outcome {
			if seq == 5 {
				return driver.OK
			}
			return driver.Refused
		}
		Closed{Clients: 1, Duration: 10 * time.Second}.Run(t.Context(), refuse, collect(&got))
		var gaps []time.Duration
		for i := range 8 {
			gaps = append(gaps, got[i+1].Sent-got[i].Sent)
		}
		ms := time.Millisecond
		if want := []time.Duration{10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 0, 10 * ms, 20 * ms}; !slices.Equal(gaps, want) {
			t.Errorf("pauses %v, want %v", gaps, want)
		}
		if len(got) > 25 {
			t.Errorf("%d requests in 10 s to a service that refuses", len(got))
		}
	})
}

func TestCancelCutsOff(t *testing.T) {
	t.Parallel()
	for name, load := range map[string]interface {
		Run(context.Context, Do, Sink) Run
	}{
		"closed": Closed{Clients: 4},
		"open":   Open{Constant(100, time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				started := atomic.Int64{}
				hang := func(ctx context.Context, seq int) driver.Outcome {
					if started.Add(1) <= 2 {
						return driver.OK
					}
					<-ctx.Done()
					return driver.Canceled
				}
				var got []Sample
				load.Run(ctx, hang, collect(&got))
				if len(got) != 2 {
					t.Errorf("%d requests recorded, want the 2 that ended", len(got))
				}
			})
		})
	}
}

// TestFrozenService is the reason for the intended time. A service of 1 ms
// freezes for a second in a run of 10 s at 100 requests a second. The requests
// that were due meanwhile waited up to a second: one in ten, so the true p99 is
// near 0.9 s. A loop that waits for its reply before it sends the next request
// (or that counts from the sending) sees one slow request in 900, and calls
// 1 ms its p99.
func TestFrozenService(t *testing.T) {
	t.Parallel()
	freeze := func(seq int) time.Duration {
		if seq == 500 {
			return time.Second
		}
		return time.Millisecond
	}
	synctest.Test(t, func(t *testing.T) {
		var got []Sample
		Open{Constant(100, 10*time.Second)}.Run(t.Context(), single(freeze), collect(&got))
		want := queued(Constant(100, 10*time.Second), freeze)
		for _, p := range []float64{0.5, 0.9, 0.95, 0.99, 0.999} {
			have, want := percentile(latencies(got), p), percentile(want, p)
			if math.Abs(float64(have-want)) > 0.02*float64(want) {
				t.Errorf("open loop p%g: %v, computed %v", 100*p, have, want)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		var naive []Sample
		Closed{Clients: 1, Requests: 1000}.Run(t.Context(), single(freeze), collect(&naive))
		if p99 := percentile(latencies(naive), 0.99); p99 != time.Millisecond {
			t.Errorf("closed loop p99 %v: the comparison in the comment is wrong", p99)
		}
	})
}

// TestPoissonQueue compares a whole random run with Lindley's recursion
// W(n+1) = max(0, W(n) + S(n) - A(n)), computed apart from the clock.
func TestPoissonQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		arrivals := Poisson(80, 30*time.Second, 7)
		service := func(seq int) time.Duration { return time.Duration(5+seq%11) * time.Millisecond }
		var got []Sample
		Open{arrivals}.Run(t.Context(), single(service), collect(&got))
		slices.SortFunc(got, func(a, b Sample) int { return a.Seq - b.Seq })
		for i, want := range queued(arrivals, service) {
			if got[i].Latency() != want || got[i].Late() {
				t.Fatalf("request %d: %v, computed %v", i, got[i], want)
			}
		}
	})
}

// queued computes the latencies of a single server by Lindley's recursion.
func queued(arrivals iter.Seq[time.Duration], service func(int) time.Duration) (latency []time.Duration) {
	free := time.Duration(0)
	seq := 0
	for at := range arrivals {
		free = max(free, at) + service(seq)
		latency = append(latency, free-at)
		seq++
	}
	return latency
}

func latencies(samples []Sample) (l []time.Duration) {
	for _, s := range samples {
		l = append(l, s.Latency())
	}
	return l
}

func percentile(l []time.Duration, p float64) time.Duration {
	l = slices.Sorted(slices.Values(l))
	return l[int(math.Ceil(p*float64(len(l))))-1]
}

func TestArrivals(t *testing.T) {
	t.Parallel()
	constant := slices.Collect(Constant(4, time.Second))
	ms := time.Millisecond
	if want := []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}; !slices.Equal(constant, want) {
		t.Errorf("constant %v, want %v", constant, want)
	}
	a, b := slices.Collect(Poisson(1000, 20*time.Second, 1)), slices.Collect(Poisson(1000, 20*time.Second, 1))
	if !slices.Equal(a, b) {
		t.Error("one seed, two schedules")
	}
	if slices.Equal(a, slices.Collect(Poisson(1000, 20*time.Second, 2))) {
		t.Error("two seeds, one schedule")
	}
	// 20,000 expected, standard deviation 141; distances exponential: their
	// standard deviation is their mean.
	if n := len(a); n < 19400 || n > 20600 {
		t.Errorf("%d arrivals in 20 s at 1000/s", n)
	}
	var sum, squares float64
	for i := 1; i < len(a); i++ {
		d := (a[i] - a[i-1]).Seconds()
		sum += d
		squares += d * d
	}
	mean := sum / float64(len(a)-1)
	if deviation := math.Sqrt(squares/float64(len(a)-1) - mean*mean); math.Abs(deviation/mean-1) > 0.05 {
		t.Errorf("distances: mean %g, standard deviation %g: not exponential", mean, deviation)
	}
}

// TestLate: a client that cannot keep up is told apart from a slow service.
func TestLate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sent time.Duration
		want bool
	}{{0, false}, {LateAfter, false}, {LateAfter + 1, true}} {
		if s := (Sample{Sent: c.sent}); s.Late() != c.want {
			t.Errorf("sent %v after its time: late = %v", c.sent, s.Late())
		}
	}
}
