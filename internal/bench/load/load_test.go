package load

import (
	"context"
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

// onSchedule is an open loop in a synctest bubble.
func onSchedule(times []time.Duration) Open { return Open{Schedule: times, Sleep: Rest} }

func schedule(t *testing.T, a Arrivals, rate float64, d time.Duration, seed uint64) []time.Duration {
	t.Helper()
	times, err := a.Schedule(rate, d, seed)
	if err != nil {
		t.Fatal(err)
	}
	return times
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
		"open":   onSchedule(schedule(t, ConstantArrivals, 100, time.Hour, 0)),
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
	constant := schedule(t, ConstantArrivals, 100, 10*time.Second, 0)
	synctest.Test(t, func(t *testing.T) {
		var got []Sample
		onSchedule(constant).Run(t.Context(), single(freeze), collect(&got))
		want := queued(constant, freeze)
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
		arrivals := schedule(t, PoissonArrivals, 80, 30*time.Second, 7)
		service := func(seq int) time.Duration { return time.Duration(5+seq%11) * time.Millisecond }
		var got []Sample
		onSchedule(arrivals).Run(t.Context(), single(service), collect(&got))
		slices.SortFunc(got, func(a, b Sample) int { return a.Seq - b.Seq })
		for i, want := range queued(arrivals, service) {
			if got[i].Latency() != want || got[i].Late() {
				t.Fatalf("request %d: %v, computed %v", i, got[i], want)
			}
		}
	})
}

// queued computes the latencies of a single server by Lindley's recursion.
func queued(arrivals []time.Duration, service func(int) time.Duration) (latency []time.Duration) {
	free := time.Duration(0)
	for seq, at := range arrivals {
		free = max(free, at) + service(seq)
		latency = append(latency, free-at)
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

// TestPreciseSleep waits no less than it is asked to, time after time, and no
// longer than ctx lasts.
func TestPreciseSleep(t *testing.T) {
	t.Parallel()
	sleep, release := Precise()
	defer release()
	for _, d := range []time.Duration{time.Nanosecond, 100 * time.Microsecond, 3 * time.Millisecond} {
		start := time.Now()
		if sleep(t.Context(), d); time.Since(start) < d {
			t.Errorf("%v ended after %v", d, time.Since(start))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	sleep(ctx, time.Hour)
	sleep(ctx, time.Hour)
}
