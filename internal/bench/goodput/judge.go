package goodput

import (
	"math"
	"slices"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// Held is what happened while a rate was held.
type Held struct {
	Latencies []time.Duration // of the successes, from their intended times
	Failures  int
}

// Requests is the number of all.
func (h Held) Requests() int { return len(h.Latencies) + h.Failures }

// Judgement says whether every bound of an objective was met. One that is neither
// passed nor failed wants more requests at the same rate.
type Judgement struct {
	Passed     bool    // every percentile is shown to be within its limit, with a confidence of 0.99
	Failed     bool    // one is shown to be beyond, with the same confidence, or too many failed
	Confidence float64 // that every percentile is within its limit
	Bounds     []record.BoundCheck
}

// Judge holds the objective against the requests of a try. A request that failed was
// not answered within any limit.
//
// The test of a percentile is MLPerf's early stopping: the requests beyond the limit
// of p99 are binomial, and it passes when so few would be seen with a chance of at
// most 0.01 if just 99 % of all were within it. The share of failures is taken as it
// is: showing one of 0.1 % with confidence would take thousands of requests.
func (s SLO) Judge(h Held) Judgement {
	sorted := slices.Sorted(slices.Values(h.Latencies))
	n := h.Requests()
	j := Judgement{Passed: n > 0, Confidence: 1}
	for _, p := range s.Percentiles {
		within, _ := slices.BinarySearch(sorted, p.Limit+1)
		over := n - within
		confidence := stat.ShareConfidence(over, n, p.Share)
		j.Passed = j.Passed && confidence >= stat.PercentileConfidence
		j.Failed = j.Failed || stat.ShareMissed(over, n, p.Share) >= stat.PercentileConfidence
		j.Confidence = min(j.Confidence, confidence)
		j.Bounds = append(j.Bounds, record.BoundCheck{
			Bound: p.String(), Limit: p.Limit.Seconds(), Value: percentile(sorted, n, p.Share),
			Over: over, Allowed: stat.AllowedOver(n, p.Share), Confidence: confidence,
		})
	}
	failed := record.BoundCheck{
		Bound: s.errors(), Limit: s.Errors, Over: h.Failures, Allowed: int(s.Errors * float64(n)), Confidence: stat.ShareConfidence(h.Failures, n, 1-s.Errors),
	}
	if n > 0 {
		failed.Value = float64(h.Failures) / float64(n)
	}
	if failed.Value > s.Errors {
		j.Passed, j.Failed = false, true
	}
	j.Bounds = append(j.Bounds, failed)
	return j
}

// percentile of n requests of which the failed ones, absent from the sorted
// latencies, took longer than any: in seconds, at most the longest seen.
func percentile(sorted []time.Duration, n int, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(share*float64(n) - 1e-9))
	return sorted[min(max(rank, 1), len(sorted))-1].Seconds()
}
