package bench

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

func drawSpeeds(t *rapid.T) (list []speed) {
	for range rapid.IntRange(1, 6).Draw(t, "stacks") {
		list = append(list, speed{
			perRequest: rapid.Float64Range(0, 0.1).Draw(t, "request"),
			perText:    math.Pow(10, rapid.Float64Range(-5, 0).Draw(t, "text")),
		})
	}
	return list
}

func drawPoints(t *rapid.T) []Point {
	sizes := rapid.SliceOfNDistinct(rapid.IntRange(1, 512), 0, 7, rapid.ID).Draw(t, "sizes")
	clients := rapid.SliceOfNDistinct(rapid.IntRange(1, 64), 0, 6, rapid.ID).Draw(t, "clients")
	points := Points(sizes, clients, rapid.IntRange(1, 64).Draw(t, "batch"))
	for i := range points {
		points[i].BatchSize = max(1, points[i].BatchSize)
	}
	return points
}

// TestPlanKeepsTheBudget: a plan never costs more than its budget, unless one
// slice a sweep does, takes repeats of the online cell last, and holds for each cell what the efforts
// promise.
func TestPlanKeepsTheBudget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points, speeds := drawPoints(t), drawSpeeds(t)
		effort := rapid.SampledFrom([]Effort{Quick, Default, Full}).Draw(t, "effort")
		budget := rapid.Float64Range(0.01, 1000).Draw(t, "budget")
		p := newPlan(points, speeds, effort, budget)
		for i, c := range p.cells {
			switch {
			case c.Point != points[i]:
				t.Fatalf("cell %d is %v, want %v", i, c.Point, points[i])
			case c.Requests < c.Concurrency || c.Requests%c.Concurrency != 0:
				t.Fatalf("%v: %d requests for %d clients", c.Point, c.Requests, c.Concurrency)
			case c.Repeats > effort.Repeats:
				t.Fatalf("%v: %d repeats", c.Point, c.Repeats)
			case c.Sweep == record.SweepOnline && c.Repeats == effort.Repeats && c.Requests*c.Repeats < stat.MinSamples(effort.Percentile):
				t.Fatalf("online: %d requests %d times certify no p%g", c.Requests, c.Repeats, 100*effort.Percentile)
			}
		}
		kept := map[record.Sweep]int{}
		for _, c := range p.cells {
			kept[c.Sweep] += c.Repeats
		}
		short := kept[record.SweepOnline] < effort.Repeats
		for sweep, repeats := range kept {
			cost := total(p.cells)
			if repeats == 0 || (cost > budget || short && sweep != record.SweepOnline) && repeats > 1 {
				t.Fatalf("%g s planned, the budget is %g s, %v slices", cost, budget, kept)
			}
		}
	})
}

// TestPlanUsesTheBudget: where not even slices of full length fill the budget,
// nothing is cut; where they would not fit, most of it is used.
func TestPlanUsesTheBudget(t *testing.T) {
	t.Parallel()
	points := Points([]int{1, 4, 8, 16, 32, 64, 128}, []int{1, 2, 4, 8, 16, 32}, 32)
	points[len(points)-1].BatchSize = 128
	speeds := slices.Repeat([]speed{{perRequest: 0.01, perText: 0.002}}, 5)
	for _, c := range []struct{ budget, least float64 }{{0, 700}, {1e6, 700}, {300, 270}} {
		p := newPlan(points, speeds, Default, c.budget)
		if cost := total(p.cells); cost < c.least || len(p.short(Default.Repeats)) > 0 {
			t.Errorf("budget %g: %g s planned, short: %v", c.budget, cost, p.short(Default.Repeats))
		}
	}
}

// TestDefaultFits: the promise of the default effort, on a slow machine: every point is
// measured, and the headline's so often that a difference can be shown.
func TestDefaultFits(t *testing.T) {
	t.Parallel()
	b := bench{Config: Config{Effort: Default, Points: Points([]int{1, 4, 8, 16, 32, 64, 128}, []int{1, 2, 4, 8, 16, 32}, 32)}}
	points := b.costed()
	const left = 170 // seconds, after the memory sweep and before the search for the largest batch
	for perSecond, want := range map[float64]struct{ repeats, headline int }{135: {1, separable}, 300: {pair, separable}, 1000: {Default.Repeats, Default.Repeats}} {
		speeds := slices.Repeat([]speed{{perText: 1 / perSecond}}, 5)
		speeds[0].perRequest = 0.05 // a stack that waits for a window
		for _, c := range newPlan(points, speeds, Default, left).cells {
			if c.Repeats < want.repeats || c.Headline && c.Repeats < want.headline {
				t.Errorf("%g embeddings/s: %v has %d repeats, want %+v", perSecond, c.Point, c.Repeats, want)
			}
		}
	}
}

// TestCosted: the ceiling is measured with as many texts under way as what it is compared with.
func TestCosted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		effort                      Effort
		sizes, clients              []int
		wantBatch, wantClients, top int // top: the clients of the headline
	}{
		{Default, []int{1, 128}, []int{1, 8, 32}, 128, 2, 8},
		{Full, []int{1, 128}, []int{1, 8, 32}, 128, 8, 8},
		{Default, []int{1, 16}, []int{4, 2}, 32, 4, 4},
		{Default, []int{64}, []int{32, 16}, 64, 8, 16},
		{Default, []int{64}, nil, 64, 2, 0},
	} {
		b := bench{Config: Config{Effort: c.effort, Points: Points(c.sizes, c.clients, 32)}}
		points := b.costed()
		offline := points[len(points)-1]
		if offline.BatchSize != c.wantBatch || offline.Concurrency != c.wantClients {
			t.Errorf("%v x %v: offline is %d texts x %d clients, want %d x %d", c.sizes, c.clients, offline.BatchSize, offline.Concurrency, c.wantBatch, c.wantClients)
		}
		for _, p := range points {
			if p.Sweep == record.SweepConcurrency && p.Headline != (p.Concurrency == c.top) {
				t.Errorf("%v: %v, headline %v", c.clients, p, p.Headline)
			}
		}
	}
}

func TestSpeed(t *testing.T) {
	t.Parallel()
	s := newSpeed(0.06, 0.32, 32) // a text costs 10 ms, a request 50 ms more
	if math.Abs(s.perText-0.01) > 1e-12 || math.Abs(s.perRequest-0.05) > 1e-12 {
		t.Errorf("%+v", s)
	}
	// 4 clients send 8 requests of 2 texts: the texts one after the other, the rest side by side.
	if got := s.seconds(Point{BatchSize: 2, Concurrency: 4}, 8); math.Abs(got-(0.05*2+0.01*16)) > 1e-12 {
		t.Errorf("%g s", got)
	}
	if s := newSpeed(0.001, 0.32, 32); s.perRequest != 0 {
		t.Errorf("a request that costs nothing of its own: %+v", s)
	}
}

// TestReplan: a run that falls behind loses repeats, not its end; one that gets
// ahead gets them back.
func TestReplan(t *testing.T) {
	t.Parallel()
	b := &bench{Config: Config{Effort: Effort{Budget: 100 * time.Second, Repeats: 5}, Watcher: &events{}}}
	b.Manifest.Started = time.Now().Add(-50 * time.Second)
	b.plan = plan{cells: []planned{{Repeats: 5, cost: 8, done: 1}, {Repeats: 5, cost: 1, done: 1}}}
	b.replan(0, 2) // the first round took twice its estimate; 44 s are left for 4 rounds of 18
	if c := b.plan.cells; c[0].Repeats != 3 || c[1].Repeats != 4 {
		t.Errorf("%+v, short: %v", c, b.plan.short(5))
	}
	b.plan.cells = append(b.plan.cells, planned{Point: Point{Sweep: record.SweepOnline}, Repeats: 5, cost: 9, done: 1})
	b.replan(0, 10) // nothing fits any more; the online cell's repeats certify its percentile together
	if c := b.plan.cells; c[0].Repeats != 1 || c[2].Repeats != 5 {
		t.Errorf("without time: %+v", c)
	}
	b.plan.cells = b.plan.cells[:2]
	for i := range b.plan.cells {
		b.plan.cells[i].cost = 1
	}
	b.replan(0, 1) // there is time after all
	if short := b.plan.short(5); len(short) > 0 {
		t.Errorf("there is time for all repeats, short: %v", short)
	}
	b.Effort.Budget = 0
	before := slices.Clone(b.plan.cells)
	if b.replan(0, 100); !slices.Equal(before, b.plan.cells) {
		t.Error("cut without a budget")
	}
}

func TestNextBatch(t *testing.T) {
	t.Parallel()
	for limit := 1; limit <= 600; limit++ { // the search's arithmetic finds any limit
		completed, refused := 0, 0
		for size := 128; size > completed; size = next(completed, refused, 512) {
			if size <= limit {
				completed = size
			} else {
				refused = size
			}
		}
		if completed != min(limit, 512) {
			t.Fatalf("limit %d: found %d", limit, completed)
		}
	}
}
