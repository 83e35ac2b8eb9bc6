package bench

import (
	"fmt"
	"math"
	"slices"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// A steady state is tested, not assumed: neither throughput nor latency may have a
// trend over the windows of a slice or of a long load. In an open loop throughput is
// the schedule's, and only latency shows a service that falls behind.

// unsteady says what drifts, or nothing. Two series are tested, each at half of the
// significance, so that both together err no more often than one would.
func unsteady(throughput, latency []float64) string {
	for _, series := range []struct {
		name    string
		windows []float64
	}{{"Throughput", throughput}, {"Median latency", latency}} {
		if t := stat.MannKendall(thinned(series.windows)); t.Found() && t.P <= stat.Significance/2 {
			return fmt.Sprintf("%s drifted by %+.0f %% over %d windows (Mann-Kendall, p = %.3f)", series.name, 100*t.Change, t.Windows, t.P)
		}
	}
	return ""
}

// drift tests a slice that is long enough to drift.
func drift(cell *record.Cell) string {
	if len(cell.Requests.Finished) < trendRequests || cell.Seconds < trendSeconds {
		return ""
	}
	what := unsteady(throughputs(cell, trendWindows), latencies(cell, trendWindows))
	if what == "" {
		return ""
	}
	if cell.Rate > 0 {
		return what + ": no steady state. The stack does not keep up with this rate, or something else runs."
	}
	return what + ": no steady state. Warm up longer, or see what else runs."
}

// throughputs counts the embeddings that were finished in each window of a cell.
func throughputs(cell *record.Cell, windows int) []float64 {
	counts := make([]float64, windows)
	for i, at := range cell.Requests.Finished {
		counts[windowOf(at, cell, windows)] += float64(cell.Requests.Texts[i])
	}
	return counts
}

// latencies is the median of the successes that were to be sent in each window. A
// window without any has the one before it.
func latencies(cell *record.Cell, windows int) []float64 {
	in := make([][]float64, windows)
	for i, at := range cell.Requests.Intended {
		if cell.Requests.Outcome[i] == string(driver.OK) {
			w := windowOf(at, cell, windows)
			in[w] = append(in[w], float64(cell.Requests.Finished[i]-at))
		}
	}
	medians := make([]float64, 0, windows)
	for _, l := range in {
		slices.Sort(l)
		m := stat.Percentile(l, 0.5)
		switch {
		case !math.IsNaN(m):
			medians = append(medians, m)
		case len(medians) > 0:
			medians = append(medians, medians[len(medians)-1])
		}
	}
	return medians
}

func windowOf(at int64, cell *record.Cell, windows int) int {
	w := int(float64(at) / 1e6 / cell.Seconds * float64(windows))
	return min(max(w, 0), windows-1)
}

// mostWindows bounds the pairs that the trend test compares.
const mostWindows = 512

// thinned merges neighbouring windows until there are few enough for the test.
func thinned(windows []float64) []float64 {
	for len(windows) > mostWindows {
		half := make([]float64, len(windows)/2)
		for i := range half {
			half[i] = (windows[2*i] + windows[2*i+1]) / 2
		}
		windows = half
	}
	return windows
}
