package findings

import (
	"strings"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
)

// asked is a run of three stacks: one holds a rate, one holds none, one computes
// something else.
func asked() *record.Results {
	r := &record.Results{}
	for _, name := range []string{"a", "b", "other"} {
		r.Stacks = append(r.Stacks, record.Stack{Name: name, Agreement: record.Agreement{Comparable: name != "other"}, Goodput: &record.Goodput{
			SLO: "p99=50ms,errors<1%", Arrivals: "poisson", Shape: "batch=1", Ended: "it does not hold 11 requests/s",
			Tries: []record.Try{{Rate: 11, Requests: 700, Verdict: record.Failed, Reason: "p99=50ms: it was 80 ms", Bounds: []record.BoundCheck{{Bound: "p99=50ms", Limit: 0.05, Value: 0.08}}}},
		}})
	}
	g := r.Stacks[0].Goodput
	g.Rate, g.Failing, g.Confidence = 150, 156, 0.9961
	g.Tries = append(g.Tries, record.Try{Rate: 150, Requests: 2700, Verdict: record.Passed, Confirming: true})
	for repeat := range 5 {
		for _, c := range []record.Cell{
			{Sweep: record.SweepRate, Rate: 50, BatchSize: 1, Seconds: 4},
			{Sweep: record.SweepScenario, Scenario: "single-stream", BatchSize: 1, Concurrency: 1, Seconds: 4},
			{Sweep: record.SweepScenario, Scenario: "offline", BatchSize: 32, Concurrency: 16, Seconds: 4},
		} {
			c.Stack, c.Repeat = "a", repeat
			for i := range 200 {
				at := time.Duration(i) * 20 * time.Millisecond
				c.Requests.Add(at, at, at+10*time.Millisecond, c.BatchSize, 0, "ok")
			}
			r.Cells = append(r.Cells, c)
		}
	}
	return r
}

func TestDemand(t *testing.T) {
	t.Parallel()
	list := Demand(figures.NewIndex(asked()))
	var got []string
	for _, f := range list {
		got = append(got, f.Topic+": "+f.Text)
	}
	want := []string{
		"goodput of a: 150 requests/s keep p99=50ms,errors<1% (poisson arrivals, batch=1), shown with a confidence of 0.9961 by a fresh run of 2700 requests; 156 requests/s do not.",
		"goodput of b: No rate was confirmed to keep p99=50ms,errors<1% (poisson arrivals, batch=1): it does not hold 11 requests/s.",
		"latency by rate of a: 50.0 requests/s: 10.0 [10.0-10.0] ms p99.",
		"MLPerf scenarios of a: single-stream: 10.0 [10.0-10.0] ms p90; offline: 1,600 [1,600-1,600] embeddings/s.",
	}
	if strings.ReplaceAll(strings.Join(got, "\n"), "–", "-") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if e := list[0].Evidence; len(e) != 2 || !strings.Contains(e[0].Figure, "failed, p99=50ms: 80") || !strings.HasPrefix(e[1].Figure, "passed (confirming)") {
		t.Errorf("%+v", e)
	}
	if none := Demand(figures.NewIndex(&record.Results{Stacks: []record.Stack{{Name: "a", Agreement: record.Agreement{Comparable: true}}}})); len(none) != 0 {
		t.Errorf("nothing was asked for: %v", none)
	}
}
