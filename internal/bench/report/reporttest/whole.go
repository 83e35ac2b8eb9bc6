package reporttest

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// Whole is the run of Demo with all that a run can hold: arrival rates with a search
// for goodput, where the time went, every probe's cosine, slices that failed their
// checks, a stack whose vectors disagree and one that never came up.
func Whole(repeats int) *record.Results {
	r := Demo(repeats)
	random := rand.New(rand.NewPCG(3, 7))
	for i, d := range demoStacks {
		for repeat := range repeats {
			for _, share := range []float64{0.3, 0.6, 0.8, 0.9, 1.0, 1.1} {
				r.Cells = append(r.Cells, d.arrivals(random, share, repeat))
			}
		}
		r.Stacks[i].Agreement.Cosines = cosines(random, 1e-6)
		r.Stacks[i].Goodput = d.goodput()
	}
	for i := range r.Cells {
		r.Cells[i].Breakdown = breakdown(&r.Cells[i])
	}
	r.Stacks = append(r.Stacks,
		record.Stack{Name: "fastapi", Door: "FastAPI, JSON", Policy: "window", Agreement: record.Agreement{Texts: 64, MinCosine: 0.71, Cosines: cosines(random, 0.2), Reason: "least cosine to the reference 0.7100 over 64 texts: another pooling"}},
		record.Stack{Name: "vllm", Error: "exit status 1: no such model"})
	inTurns(r)
	doubt(r, "paceline/triton", record.SweepConcurrency, 16)
	r.Warnings = []record.Warning{{Stack: "paceline/triton", Code: "invalid", Text: "32 texts × 16 clients: throughput drifted by -12 % within the slice", Advice: "Warm up longer, or see what else runs."}}
	return r
}

// arrivals is an open loop at a share of what the stack can serve: latency grows as
// in a queue with one server.
func (d demoStack) arrivals(random *rand.Rand, share float64, repeat int) record.Cell {
	capacity := d.ceiling * d.online
	c := record.Cell{Stack: d.name, Sweep: record.SweepRate, BatchSize: 1, Rate: math.Round(share * capacity), Arrivals: "poisson",
		Repeat: repeat, WarmupSeconds: 1, Seconds: 4}
	for at := 0.0; at < c.Seconds; at += random.ExpFloat64() / c.Rate {
		wait := d.p50 / 1000 * math.Min(1/math.Max(1-share, 0.02), 12) * (0.6 + 0.5*random.ExpFloat64())
		if share >= 1 {
			wait += (share - 0.95) * at * 4
		}
		intended := time.Duration(at * 1e9)
		c.Requests.Add(intended, intended, intended+time.Duration(wait*1e9), 1, 0, "ok")
	}
	c.Samples = record.Samples{At: []int64{0, 2e6, 4e6}, CPU: []float64{0, 3 * share, 6 * share}, RSS: []int64{int64(d.idle * 1e6), int64(d.idle * 1.02e6), int64(d.idle * 1.03e6)}, ClientCPU: []float64{0, 0.1, 0.2}}
	return c
}

func (d demoStack) goodput() *record.Goodput {
	rate := math.Round(0.8 * d.ceiling * d.online)
	return &record.Goodput{SLO: "p99=250ms", Arrivals: "poisson", Rate: rate, Texts: rate, Failing: rate * 1.1, Confidence: 0.97, Ended: "the rates lie within 10 %",
		Tries: []record.Try{{Rate: rate, Seconds: 4, Requests: int(4 * rate), Verdict: record.Passed, Confirming: true,
			Bounds: []record.BoundCheck{{Bound: "p99=250ms", Limit: 0.25, Value: 0.2, Confidence: 0.97}}}}}
}

// breakdown shares a cell's time out among the phases of a request.
func breakdown(c *record.Cell) *record.Breakdown {
	sum := 0.0
	for i := range c.Requests.Outcome {
		sum += float64(c.Requests.Finished[i]-c.Requests.Intended[i]) / 1e6
	}
	part := func(share float64) *record.Phase { return &record.Phase{Sum: sum * share} }
	return &record.Breakdown{Source: "server-timing", Requests: len(c.Requests.Outcome), ClientQueue: part(0.01), Network: part(0.06),
		Queue: part(0.35), Tokenize: part(0.05), Inference: part(0.48), Serialize: part(0.03), Other: part(0.02)}
}

func cosines(random *rand.Rand, distance float64) []float64 {
	list := make([]float64, 64)
	for i := range list {
		list[i] = 1 - distance*math.Exp(random.NormFloat64()-1)
	}
	return list
}

// inTurns starts the cells one after the other: every load once for every stack,
// repeat by repeat.
func inTurns(r *record.Results) {
	seen := map[string]int{}
	turn := make([]int, len(r.Cells))
	order := make([]int, len(r.Cells))
	for i, c := range r.Cells {
		order[i] = i
		key := c.Stack + string(rune(c.Repeat))
		turn[i] = seen[key]
		seen[key]++
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(r.Cells[a].Repeat, r.Cells[b].Repeat), cmp.Compare(turn[a], turn[b]))
	})
	at := r.Manifest.Started
	for _, i := range order {
		c := &r.Cells[i]
		c.Started = at.Add(time.Duration(c.WarmupSeconds * 1e9))
		at = c.Started.Add(time.Duration(c.Seconds*1e9) + 50*time.Millisecond)
	}
	r.Manifest.Finished = at
}

// doubt lets the slices of a stack at a concurrency fail their checks.
func doubt(r *record.Results, stack string, sweep record.Sweep, clients int) {
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Stack == stack && c.Sweep == sweep && c.Concurrency == clients {
			c.Invalid = "Throughput drifted by -12 % within the slice (Mann-Kendall, p = 0.004): no steady state. Warm up longer, or see what else runs."
		}
	}
}
