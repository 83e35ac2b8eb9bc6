package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/stat"
)

// lawful is a service over HTTP with a known law: it does one request at a time in the
// order of their coming, the n-th takes times[n], and between freeze and thaw none
// begins.
type lawful struct {
	times        []time.Duration
	freeze, thaw time.Duration // since started; both 0: never
	started      time.Time
	turn         chan struct{}
	served       int
}

func (l *lawful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct{ Texts []string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	l.turn <- struct{}{}
	now := time.Since(l.started)
	time.Sleep(l.ends(l.served, now) - now)
	l.served++
	<-l.turn
	fmt.Fprintf(w, `{"embeddings":[%s]}`, strings.TrimSuffix(strings.Repeat("[1,0],", len(request.Texts)), ","))
}

// ends is when the n-th request does that begins at a time.
func (l *lawful) ends(n int, begin time.Duration) time.Duration {
	if l.freeze <= begin && begin < l.thaw {
		begin = l.thaw
	}
	return begin + l.times[n%len(l.times)]
}

// computed are the latencies of a schedule by Lindley's recursion, sorted, in seconds.
func (l *lawful) computed(schedule []time.Duration) []float64 {
	var list []float64
	free := time.Duration(0)
	for n, at := range schedule {
		free = l.ends(n, max(free, at))
		list = append(list, (free - at).Seconds())
	}
	slices.Sort(list)
	return list
}

// wire is a network in memory, which follows the test's clock.
type wire struct{ accept chan net.Conn }

func (w wire) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case w.accept <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w wire) Accept() (net.Conn, error) {
	c, open := <-w.accept
	if !open {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (w wire) Close() error   { return nil }
func (w wire) Addr() net.Addr { return &net.IPAddr{} }

// measured runs a load of the whole client, schedule to result, against a service.
func measured(t *testing.T, l *lawful, c StressConfig) *StressResult {
	t.Helper()
	w := wire{make(chan net.Conn)}
	server := &http.Server{Handler: l}
	go server.Serve(w)
	d, err := driver.Open("poc", "http://service", driver.Options{Dial: w.dial})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		d.Close()
		close(w.accept)
		server.Close()
	}()
	batches, err := Texts{Texts: c.Texts}.batches(d, c.BatchSize, 16)
	if err != nil {
		t.Fatal(err)
	}
	l.turn, l.started = make(chan struct{}, 1), time.Now()
	r, err := c.simulate(t.Context(), nil, newComplaints().listen(d, batches))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// exponential service times of a mean, from a seed.
func exponential(mean time.Duration, n int) []time.Duration {
	source := rand.New(rand.NewPCG(11, 0))
	list := make([]time.Duration, n)
	for i := range list {
		list[i] = time.Duration(source.ExpFloat64() * float64(mean))
	}
	return list
}

// TestClientsTruth: with a known law of service and a schedule, the latencies that the
// whole client reports, from schedule, HTTP and histogram, are within 2 % of those
// computed; also when the service freezes for a second.
//
// A naive loop is wrong there. One client that sends its next request when it has the
// last reply meets the same freeze once in its 12,000 requests: its p99 is 23 ms, as if
// nothing had happened, where users who come as they like see 726 to 743 ms (100 requests/s,
// 5 ms in the mean, one freeze of 1 s a minute).
func TestClientsTruth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arrivals     load.Arrivals
		freeze, thaw time.Duration
	}{
		"constant":                  {load.ConstantArrivals, 0, 0},
		"Poisson":                   {load.PoissonArrivals, 0, 0},
		"constant, frozen for 1 s":  {load.ConstantArrivals, 20 * time.Second, 21 * time.Second},
		"Poisson, frozen for 1 s":   {load.PoissonArrivals, 20 * time.Second, 21 * time.Second},
		"Poisson, frozen for 100ms": {load.PoissonArrivals, 20 * time.Second, 20100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				config, _ := stressConfig(t)
				config.BatchSize, config.Duration, config.Arrivals, config.Rate = 1, time.Minute, &c.arrivals, 100
				l := &lawful{times: exponential(5*time.Millisecond, 1<<15), freeze: c.freeze, thaw: c.thaw}
				r := measured(t, l, config)
				schedule, err := c.arrivals.Schedule(config.Rate, config.Duration, config.Seed)
				if err != nil {
					t.Fatal(err)
				}
				truth := l.computed(schedule)
				if r.Successful != len(truth) || r.Late != 0 {
					t.Fatalf("%d of %d requests, %d late", r.Successful, len(truth), r.Late)
				}
				for p, have := range map[float64]*float64{0.5: r.Latency.P50, 0.9: r.Latency.P90, 0.99: r.Latency.P99} {
					if want := stat.Percentile(truth, p); !near(have, want, 0.02) {
						t.Errorf("p%g: %.4g ms, computed %.4g", 100*p, 1000**have, 1000*want)
					}
				}
				if c.thaw > 20500*time.Millisecond {
					checkNaive(t, l, config, stat.Percentile(truth, 0.99))
				}
			})
		})
	}
}

// checkNaive holds the closed loop to what the comment says of it.
func checkNaive(t *testing.T, l *lawful, config StressConfig, truth float64) {
	t.Helper()
	if err := os.RemoveAll(config.Records); err != nil {
		t.Fatal(err)
	}
	config.Arrivals, config.Clients = nil, 1
	r := measured(t, &lawful{times: l.times, freeze: l.freeze, thaw: l.thaw}, config)
	t.Logf("truth: p99 %.0f ms; closed loop: p99 %.1f ms of %d requests", 1000*truth, 1000**r.Latency.P99, r.Requests)
	if truth < 0.5 || *r.Latency.P99 > 0.05 {
		t.Errorf("the naive p99 is %.4g s, the true one %.4g s: the comment's figures are wrong", *r.Latency.P99, truth)
	}
}
