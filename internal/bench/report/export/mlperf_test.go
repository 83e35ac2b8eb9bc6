package export

import (
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

func TestMLPerfByHand(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand("good", "short", "doubted", "plain", "served")
	scenario := func(stack, name string, batch, n int) *record.Cell {
		h.Cell(stack, record.SweepScenario, batch, 1, 20, n)
		h.Last().Scenario = name
		return h.Last()
	}
	scenario("good", "single-stream", 1, 64)
	scenario("good", "offline", 32, 24576)
	scenario("short", "offline", 32, 640)
	scenario("short", "single-stream", 1, 63) // p90 needs 64
	scenario("doubted", "offline", 32, 640).Invalid = "the client was busy: run it elsewhere"
	h.Cell("served", record.SweepGoodput, 1, 0, 20, 800, 700) // a try and the run that confirmed it
	for i := len(h.Cells) - 2; i < len(h.Cells); i++ {
		h.Cells[i].Rate = 750
	}
	h.Stacks[4].Goodput = &record.Goodput{Rate: 750, Tries: []record.Try{{Rate: 750, Verdict: record.Passed}, {Rate: 750, Verdict: record.Passed, Confirming: true, Repeat: 1}}}
	h.Cell("plain", record.SweepOffline, 8, 1, 10, 80)
	var b strings.Builder
	if err := WriteMLPerf(figures.NewIndex(h.Results), &b); err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for _, block := range strings.Split(b.String(), "MLPerf-like Results Summary\n")[1:] {
		fields := strings.Fields(block)
		name := fields[4] + " " + fields[7] // after the rule: SUT name : X Scenario : Y
		blocks[name] = strings.Join(fields, " ")
	}
	for name, want := range map[string][]string{
		"good SingleStream":  {"90th percentile latency (ns) : 20000000", "Result is : VALID", "50.00 percentile latency (ns) : 20000000", "samples_per_query : 1"},
		"good Offline":       {"Samples per second : 24576.00", "Result is : VALID", "Min queries satisfied : Yes", "samples_per_query : 32"},
		"short Offline":      {"Samples per second : 640.00", "Result is : INVALID", "Min queries satisfied : NO", "Because : a repeat had 640 samples, MLPerf's least is 24576"},
		"short SingleStream": {"Result is : INVALID", "Early stopping satisfied : NO"},
		"doubted Offline":    {"Result is : INVALID", "Performance constraints satisfied : NO", "Because : the client was busy: run it elsewhere"},
		"served Server":      {"Completed samples per second : 700.00", "Result is : VALID", "target_qps : 750", "query_count : 700"},
		"plain Offline":      {"Samples per second : 80.00", "Min queries satisfied : NO"},
	} {
		for _, line := range want {
			if !strings.Contains(blocks[name], line) {
				t.Errorf("%s: %q is not in %q", name, line, blocks[name])
			}
		}
	}
	if !strings.HasPrefix(b.String(), "These are not MLPerf results") {
		t.Error("it may be taken for a result of MLPerf")
	}
}
