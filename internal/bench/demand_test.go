package bench

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/goodput"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/shape"
	"github.com/paceline/paceline/internal/bench/stat"
)

// queue is a service of one server, first come first served, on the test's clock.
type queue struct {
	service func(n int) time.Duration // of the n-th request
	limit   int                       // waiting requests beyond which it says 429; 0: none
	turn    chan struct{}
	n       int
}

func (q *queue) Door() string { return "a function" }
func (q *queue) Close()       {}

func (q *queue) Prepare(texts []string) (*driver.Request, error) {
	return &driver.Request{Texts: len(texts)}, nil
}

func (q *queue) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	q.Send(ctx, nil)
	return make([][]float32, len(texts)), nil
}

func (q *queue) Send(ctx context.Context, _ *driver.Request) driver.Reply {
	if q.limit > 0 && q.waiting() >= q.limit {
		return driver.Reply{Outcome: driver.Overloaded, Detail: "full"}
	}
	select {
	case q.turn <- struct{}{}:
	case <-ctx.Done():
		return driver.Reply{Outcome: driver.Canceled}
	}
	q.n++
	load.Rest(ctx, q.service(q.n))
	<-q.turn
	if ctx.Err() != nil {
		return driver.Reply{Outcome: driver.Canceled}
	}
	return driver.Reply{Outcome: driver.OK}
}

func (q *queue) waiting() int { return len(q.turn) }

// demanded is a run of services that are functions, in a synctest bubble.
func demanded(t *testing.T, d Demand, e Effort, services map[string]*queue) *bench {
	t.Helper()
	c, _ := testConfig(t)
	c.Demand, c.Effort, c.Points = d, e, nil
	c.Demand.BatchSize = max(1, d.BatchSize)
	spool, err := newSpool(c.SpoolDir)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(c, spool, func(err error) { t.Error(err) })
	b.sleep = load.Rest
	for name, q := range services {
		q.turn = make(chan struct{}, 1)
		b.stacks = append(b.stacks, &stack{
			Stack: Stack{Name: name}, record: record.Stack{Name: name}, driver: q, refused: map[Point]bool{}, speed: speed{perText: 0.005},
		})
	}
	slices.SortFunc(b.stacks, func(x, y *stack) int { return strings.Compare(x.Name, y.Name) })
	return b
}

func (b *bench) spooled(t *testing.T) []record.Cell {
	t.Helper()
	cells, err := b.spool.cells()
	if err != nil {
		t.Fatal(err)
	}
	b.spool.remove()
	return cells
}

func always(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func objective(t *testing.T, text string) *goodput.SLO {
	t.Helper()
	slo, err := goodput.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return &slo
}

// overShare is the share of Poisson requests to a queue of one server that take
// longer than the limit, by Lindley's recursion over a million of them.
func overShare(t *testing.T, rate float64, service, limit time.Duration) float64 {
	t.Helper()
	times, err := load.PoissonArrivals.Schedule(rate, time.Duration(1e6/rate*1e9), 1)
	if err != nil {
		t.Fatal(err)
	}
	free, over := time.Duration(0), 0
	for _, at := range times {
		if free = max(free, at) + service; free-at > limit {
			over++
		}
	}
	return float64(over) / float64(len(times))
}

// TestGoodputOfKnownLaw: of services of 5 and 8 ms with Poisson arrivals (M/D/1) the
// rate is found at which p99 is just within 50 ms, computed apart. It may be below the
// true one by what the tries' size costs: they can show 0.6 % beyond the limit where
// 1 % is allowed.
func TestGoodputOfKnownLaw(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		d := Demand{Arrivals: load.PoissonArrivals, SLO: objective(t, "p99=50ms")}
		services := map[string]time.Duration{"five": 5 * ms, "eight": 8 * ms}
		b := demanded(t, d, Default, map[string]*queue{"five": {service: always(5 * ms)}, "eight": {service: always(8 * ms)}})
		b.searchGoodput(t.Context())
		cells := b.spooled(t)
		for _, s := range b.stacks {
			g := s.record.Goodput
			if !g.Confirmed() || g.Confidence < 0.99 || g.Failing > g.Rate*1.06 || !strings.Contains(g.Ended, "confirmed") || g.Shape != "batch=1" {
				t.Fatalf("%s: %+v", s.Name, g)
			}
			at := overShare(t, g.Rate, services[s.Name], 50*ms)
			above := overShare(t, 1.1*g.Rate, services[s.Name], 50*ms)
			if at > 0.01 || above < 0.01 {
				t.Errorf("%s: %.4g requests/s found; %.2f %% are beyond the limit there and %.2f %% a tenth above", s.Name, g.Rate, 100*at, 100*above)
			}
			last := g.Tries[len(g.Tries)-1]
			if !last.Confirming || last.Requests < 4*662 || math.Abs(g.Texts/g.Rate-1) > 0.06 || last.Late != 0 {
				t.Errorf("%s: confirmed by %+v", s.Name, last)
			}
			checkTries(t, g, s.Name, cells)
		}
	})
}

// checkTries: every try can be traced to the raw records of its cells.
func checkTries(t *testing.T, g *record.Goodput, name string, cells []record.Cell) {
	t.Helper()
	for i, try := range g.Tries {
		requests := 0
		for _, c := range cells {
			if c.Stack == name && c.Sweep == record.SweepGoodput && c.Repeat == i {
				requests += len(c.Requests.Outcome)
				if c.Rate != try.Rate || c.Arrivals != "poisson" {
					t.Errorf("try %d: cell at %g, %s", i, c.Rate, c.Arrivals)
				}
			}
		}
		if requests != try.Requests || try.Repeat != i || (try.Verdict == record.Passed) != (try.Reason == "") {
			t.Errorf("try %d: %d requests in the cells, %+v", i, requests, try)
		}
	}
}

// TestGoodputLimits: what keeps a stack from a rate is named.
func TestGoodputLimits(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	for name, c := range map[string]struct {
		slo     string
		service *queue
		ended   string
		reason  string
	}{
		"too slow at any rate": {"p99=50ms", &queue{service: always(80 * ms)}, "does not hold 11", "p99=50ms"},
		"refuses":              {"p99=1s,errors<0.1%", &queue{service: always(5 * ms), limit: 1}, "does not hold 11", "errors<0.1%"},
		"hangs": {"p90=100ms", &queue{service: func(n int) time.Duration {
			if n > 100 {
				return time.Hour
			}
			return ms
		}}, "does not hold", "errors<1%"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := demanded(t, Demand{Arrivals: load.PoissonArrivals, SLO: objective(t, c.slo)}, Default, map[string]*queue{"a": c.service})
				b.searchGoodput(t.Context())
				b.spooled(t)
				g := b.stacks[0].record.Goodput
				last := g.Tries[len(g.Tries)-1]
				if g.Confirmed() || !strings.Contains(g.Ended, c.ended) || !strings.Contains(last.Reason, c.reason) {
					t.Errorf("%g, %q, %q", g.Rate, g.Ended, last.Reason)
				}
			})
		})
	}
}

// TestGoodputWithoutTexts: an objective that no text meets is said.
func TestGoodputWithoutTexts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := demanded(t, Demand{Arrivals: load.PoissonArrivals, SLO: objective(t, "p99=50ms,chars<=1")}, Default, map[string]*queue{"a": {service: always(time.Millisecond)}})
		b.searchGoodput(t.Context())
		b.spooled(t)
		if len(b.warnings) != 1 || b.warnings[0].Code != "no_texts" || b.stacks[0].record.Goodput != nil {
			t.Errorf("%+v", b.warnings)
		}
	})
}

// TestRates: two rates of a queue of 5 ms, in turns, with latencies that Lindley's
// recursion gives; one of them is above what the service can do, and marked.
func TestRates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := Demand{Arrivals: load.ConstantArrivals, Rates: []float64{100, 300}}
		e := Effort{Name: "test", Repeats: 2, Slice: 4 * time.Second, Percentile: 0.99}
		b := demanded(t, d, e, map[string]*queue{"a": {service: always(5 * time.Millisecond)}, "b": {service: always(2 * time.Millisecond)}})
		b.measureRates(t.Context())
		cells := b.spooled(t)
		var order []string
		for _, c := range cells {
			order = append(order, c.Stack)
			latency := latencies(&c, 1)[0]
			overloaded := c.Stack == "a" && c.Rate == 300
			if c.Sweep != record.SweepRate || c.Arrivals != "constant" || c.WarmupSeconds < 0.3 || c.Late != 0 || len(c.Requests.Outcome) != int(c.Rate*4) {
				t.Errorf("%s at %g: %d requests, %+v", c.Stack, c.Rate, len(c.Requests.Outcome), c.Arrivals)
			}
			if !overloaded && (c.Invalid != "" || latency != map[string]float64{"a": 5000, "b": 2000}[c.Stack]) {
				t.Errorf("%s at %g: %g us, %q", c.Stack, c.Rate, latency, c.Invalid)
			}
			if overloaded && (latency < 5e5 || !strings.Contains(c.Invalid, "does not keep up")) {
				t.Errorf("overloaded: %g us, %q", latency, c.Invalid)
			}
		}
		if got := strings.Join(order, ""); got != "ababbaba" {
			t.Errorf("turns %s", got)
		}
	})
}

// TestHeldLosesNothing: requests without a reply when the drain is over are timeouts,
// whatever the service still does with them.
func TestHeldLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := demanded(t, Demand{Arrivals: load.ConstantArrivals}, Default, map[string]*queue{"a": {service: always(100 * time.Millisecond)}})
		cell, _, err := b.hold(t.Context(), b.stacks[0], holding{sweep: record.SweepRate, rate: 20, duration: 10 * time.Second, drain: time.Second}, b.Data)
		b.spooled(t)
		if err != nil || len(cell.Requests.Outcome) != 200 {
			t.Fatalf("%v, %d requests", err, len(cell.Requests.Outcome))
		}
		timeouts := 0
		for i, outcome := range cell.Requests.Outcome {
			if outcome == string(driver.Timeout) {
				timeouts++
				if cell.Requests.Finished[i] < 10_900_000 {
					t.Errorf("timed out at %d us", cell.Requests.Finished[i])
				}
			}
		}
		if timeouts < 85 || timeouts > 101 { // of 200 in 10 s it has done 110
			t.Errorf("%d timeouts", timeouts)
		}
	})
}

// TestShapes: a mix comes out in its shares, of texts of its lengths.
func TestShapes(t *testing.T) {
	t.Parallel()
	m, err := shape.Parse("batch=1:3,8:1,chars=50:1,500:1")
	if err != nil {
		t.Fatal(err)
	}
	list := shapes(nil, m, 1, 4000, 7)
	var seen [][]string
	d := &spy{seen: &seen}
	batches, err := testTexts(100).shaped(d, list)
	if err != nil || len(batches) != 4000 {
		t.Fatalf("%d, %v", len(batches), err)
	}
	eights := 0
	for i, b := range batches {
		if b.Texts != list[i].Texts || b.tokens != 0 {
			t.Fatalf("request %d: %d texts, want %d; %d tokens", i, b.Texts, list[i].Texts, b.tokens)
		}
		if b.Texts == 8 {
			eights++
		}
	}
	if eights < 900 || eights > 1100 {
		t.Errorf("%d of 4000 requests have 8 texts", eights)
	}
	lengths := map[int]int{}
	for _, texts := range seen {
		for _, text := range texts {
			lengths[len(text)]++
		}
	}
	if len(lengths) != 2 || lengths[50] == 0 || lengths[500] == 0 || len(seen) > mostBatches {
		t.Errorf("texts of lengths %v in %d requests", lengths, len(seen))
	}
	plain, err := testTexts(100).shaped(d, shapes(nil, shape.Mix{}, 2, 10, 7))
	if err != nil || plain[0].tokens != 7 || len(plain) != 10 {
		t.Errorf("%d requests, the first of %d tokens: %v", len(plain), plain[0].tokens, err)
	}
}

type spy struct {
	queue
	seen *[][]string
}

func (s *spy) Prepare(texts []string) (*driver.Request, error) {
	*s.seen = append(*s.seen, texts)
	return &driver.Request{Texts: len(texts)}, nil
}

// TestTwoDigits keeps recorded lengths to some hundreds of values.
func TestTwoDigits(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{0: 0, 7: 7, 99: 99, 100: 100, 104: 100, 105: 110, 336: 340, 9_949: 9_900, 123_456: 120_000} {
		if got := twoDigits(n); got != want {
			t.Errorf("%d became %d, want %d", n, got, want)
		}
	}
}

// TestScenarios: each repeat has MLPerf's counts.
func TestScenarios(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := Demand{Scenarios: []Scenario{SingleStream, MultiStream, Offline}}
		e := Effort{Name: "test", Repeats: 2, Slice: time.Millisecond, Percentile: 0.99}
		b := demanded(t, d, e, map[string]*queue{"a": {service: always(5 * time.Millisecond)}})
		b.runScenarios(t.Context())
		counts := map[string]int{}
		for _, c := range b.spooled(t) {
			counts[c.Scenario]++
			n := len(c.Requests.Outcome)
			want := map[string]int{"single-stream": 64, "multi-stream": 662, "offline": 24576 / 32}[c.Scenario]
			if n < want || c.Sweep != record.SweepScenario || c.Invalid != "" {
				t.Errorf("%s: %d requests of %d texts, %q", c.Scenario, n, c.BatchSize, c.Invalid)
			}
		}
		if counts["single-stream"] != 2 || counts["multi-stream"] != 2 || counts["offline"] != 2 || len(b.warnings) != 0 {
			t.Errorf("%v, %v", counts, b.warnings)
		}
	})
	if _, err := ParseScenario("server"); err == nil {
		t.Error("server is a search, not a slice")
	}
	if s, err := ParseScenario("multi-stream"); err != nil || s.Queries != stat.MinSamples(0.99) || s.Texts != 8 {
		t.Errorf("%+v, %v", s, err)
	}
}
