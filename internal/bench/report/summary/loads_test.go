package summary

import (
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
	"github.com/paceline/paceline/internal/bench/report/table"
)

// TestLoadTable: a run of rates and scenarios alone shows these, and no table of what
// it did not measure.
func TestLoadTable(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand("a", "b")
	for _, s := range []struct {
		name    string
		latency float64
		n       int
	}{{"a", 20, 200}, {"b", 30, 20}} {
		h.Cell(s.name, record.SweepRate, 1, 0, s.latency, s.n, s.n, s.n, s.n, s.n)
		for i := len(h.Cells) - 5; i < len(h.Cells); i++ {
			h.Cells[i].Rate, h.Cells[i].Arrivals = 50, "poisson"
		}
	}
	h.Cell("a", record.SweepScenario, 1, 1, 5, 100, 100, 100, 100, 100)
	for i := len(h.Cells) - 5; i < len(h.Cells); i++ {
		h.Cells[i].Scenario = "single-stream"
	}
	var text strings.Builder
	if err := summarize(h.Results).WriteText(&text, table.Terminal{}); err != nil {
		t.Fatal(err)
	}
	// 1,000 requests certify p99, 100 carry p90 only.
	want := `
Arrival rates and scenarios
Stack                                Throughput  p50 latency  p90 latency   p99 latency
load                               embeddings/s           ms           ms            ms
───────────────────────────────────────────────────────────────────────────────────────
a                                           200         20.0         20.0          20.0
1 text × 50.0 requests/s, poisson       200–200    20.0–20.0    20.0–20.0     20.0–20.0
b                                          20.0         30.0         30.0  p90 30.0 [1]
1 text × 50.0 requests/s, poisson     20.0–20.0    30.0–30.0    30.0–30.0     30.0–30.0
a                                           100         5.00         5.00  p95 5.00 [2]
single-stream, 1 text × 1 client        100–100    5.00–5.00    5.00–5.00     5.00–5.00

[1] latency: 100 requests carry p90, p99 needs 662
[2] latency: 500 requests carry p95, p99 needs 662
Medians over 5 repeats or more, with their range, which covers the true median with 94 %.
`
	columns, loads, _ := strings.Cut(text.String(), "─\n")
	if !strings.HasSuffix(loads, want) {
		t.Errorf("got:\n%s\nwant:\n%s", loads, want)
	}
	if strings.Contains(columns, "Throughput") || strings.Contains(loads, "Findings") {
		t.Errorf("it tells of what was not measured:\n%s", text.String())
	}
}
