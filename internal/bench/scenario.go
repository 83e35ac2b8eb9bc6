package bench

import (
	"context"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// Scenario is one of MLPerf's ways to load a system, by its name there. Server, the
// fourth, is the search for goodput.
type Scenario struct {
	Name       string
	Percentile float64 // of latency that is its figure; 0: throughput is
	Texts      int     // a query
	Clients    int
	Queries    int // at the least
}

// The scenarios by MLPerf's rules, with its early-stopping counts for the percentiles.
// Offline hands over everything at once; over the wire that is as many requests under
// way as keep any batching policy supplied.
//
// Source: MLPerf Inference rules, "scenarios" and appendix "early stopping".
var (
	SingleStream = Scenario{Name: "single-stream", Percentile: 0.90, Texts: 1, Clients: 1, Queries: stat.MinSamples(0.90)}
	MultiStream  = Scenario{Name: "multi-stream", Percentile: 0.99, Texts: 8, Clients: 1, Queries: stat.MinSamples(0.99)}
	Offline      = Scenario{Name: "offline", Texts: 32, Clients: 16, Queries: record.OfflineSamples / 32}
)

// Server names the scenario that is a search: Poisson arrivals of one text, the
// highest rate under a bound of p99.
const Server = "server"

// ParseScenario finds one that is not [Server].
func ParseScenario(name string) (Scenario, error) {
	list := []Scenario{SingleStream, MultiStream, Offline}
	names := []string{Server}
	for _, s := range list {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Scenario{}, fmt.Errorf("unknown scenario %q: one of %s", name, strings.Join(names, ", "))
}

// runScenarios measures every scenario for every stack, in turns. One repeat fulfils
// the scenario's counts by itself.
func (b *bench) runScenarios(ctx context.Context) {
	for repeat := range b.Effort.Repeats {
		for _, scenario := range b.Demand.Scenarios {
			for _, s := range b.compared(repeat) {
				if ctx.Err() != nil || s.refused[scenario.point()] {
					continue
				}
				b.Watcher.Stage(fmt.Sprintf("%s of %s, repeat %d of %d", scenario.Name, s.Name, repeat+1, b.Effort.Repeats))
				if err := b.runScenario(ctx, s, scenario, repeat); err != nil {
					b.lose(ctx, s, err)
				}
			}
		}
	}
}

func (s Scenario) point() Point {
	return Point{Sweep: record.SweepScenario, Scenario: s.Name, BatchSize: s.Texts, Concurrency: s.Clients}
}

// queries is how many an effort sends: the scenario's least or as many as fill a
// slice. Only a full run takes the time that Offline asks for.
func (s Scenario) queries(e Effort, speed speed) int {
	fill := max(1, int(e.Slice.Seconds()/speed.seconds(s.point(), 1)))
	if s.Percentile == 0 && e.Budget > 0 {
		return max(2*s.Clients, fill)
	}
	return max(s.Queries, fill)
}

func (b *bench) runScenario(ctx context.Context, s *stack, scenario Scenario, repeat int) error {
	n := scenario.queries(b.Effort, s.speed)
	if got := n * scenario.Texts; repeat == 0 && scenario.Percentile == 0 && got < record.OfflineSamples {
		b.warn(record.Warning{Stack: s.Name, Code: "scenario_short", Text: fmt.Sprintf("%s had %s, MLPerf's least is %d.", scenario.Name, english.Plural(got, "text", ""), record.OfflineSamples), Advice: "Take --full."})
	}
	return b.slice(ctx, s, planned{Point: scenario.point(), Requests: n, Warmup: max(2, n/warmupShare)}, b.Data, repeat)
}
