package summary

import (
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/table"
)

const loadTitle = "Arrival rates and scenarios"

// LoadTable lays out what the stacks did at the arrival rates and in the scenarios
// that the run was asked for: a row a load and stack. It has no rows where there are none.
func (s *Summary) LoadTable() *table.Table {
	t := &table.Table{Columns: []table.Column{{Name: "Stack", Unit: "load"}, {Name: "Throughput", Unit: "embeddings/s"},
		{Name: "p50 latency", Unit: "ms"}, {Name: "p90 latency", Unit: "ms"}, {Name: "p99 latency", Unit: "ms"}}}
	for _, l := range s.Loads {
		t.Rows = append(t.Rows, []table.Entry{{Text: l.Stack, Interval: l.Load}, entry(t, "throughput", l.Throughput),
			percentileEntry(t, l.Median), percentileEntry(t, l.P90), percentileEntry(t, l.Tail)})
	}
	return t
}

// LoadCaption says how the figures of the load table came about.
func (s *Summary) LoadCaption() string {
	var shown []figures.Figure
	for _, l := range s.Loads {
		shown = append(shown, l.Throughput, l.Median.Figure)
	}
	return intervalCaption(shown)
}
