package bench

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/stat"
)

// TestTallyTakesTheReportsRank: a stress test's summary and its report, which reads
// the raw records, name the same request, whatever the histogram's rounding. Each
// latency is a tenth above the one before it, so a neighbour is seen.
func TestTallyTakesTheReportsRank(t *testing.T) {
	t.Parallel()
	all := newTally(func(int) int { return 1 })
	var sorted []float64
	for n := 1; n <= 150; n++ {
		took := time.Duration(1000*math.Pow(1.1, float64(n))) * time.Microsecond
		all.add(load.Sample{Finished: took, Outcome: driver.OK})
		sorted = append(sorted, took.Seconds())
		for _, p := range stat.Percentiles {
			have, want := all.quantile(p), min(stat.Percentile(sorted, p), longest.Seconds())
			if !near(&have, want, 1e-3) {
				t.Errorf("p%g of %d: %v, want %v", 100*p, n, have, want)
			}
			if certified := !math.IsNaN(all.certified(p)); certified != (n >= stat.MinSamples(p)) {
				t.Errorf("p%g of %d successes is shown: %v", 100*p, n, certified)
			}
		}
	}
	if !slices.IsSorted(sorted) {
		t.Error("the latencies were to rise")
	}
}
