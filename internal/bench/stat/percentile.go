package stat

import (
	"math"
	"slices"
)

// PercentileConfidence is the certainty that MLPerf's early stopping asks for
// before it accepts a percentile.
const PercentileConfidence = 0.99

// Percentiles are those a report prints, in rising order.
var Percentiles = []float64{0.5, 0.9, 0.95, 0.99, 0.999}

// Percentile returns the nearest-rank percentile p (0 < p <= 1) of values in
// rising order: the smallest value that at least a share p of them does not
// exceed. It is always one of the values, never a blend of two. NaN for none.
func Percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[Rank(len(sorted), p)-1]
}

// Rank is which of n values (n > 0), the least being 1, the nearest-rank percentile
// p is.
func Rank(n int, p float64) int {
	// A product such as 0.95*100 may come out a hair above the whole number.
	return min(max(int(math.Ceil(p*float64(n)-1e-9)), 1), n)
}

// MinSamples returns how many requests must stand behind percentile p (0 < p < 1)
// by MLPerf's early-stopping rule with one allowed overlatency: the least n for
// which, at a true share of exactly p, at most one of n requests would exceed the
// bound with probability 1-[PercentileConfidence] or less.
//
// Source: MLPerf Inference rules, appendix "early stopping".
func MinSamples(p float64) int {
	certified := func(n int) bool { return binomialCDF(1, n, 1-p) <= 1-PercentileConfidence }
	high := 2
	for !certified(high) {
		high *= 2
	}
	low := high / 2
	for high-low > 1 {
		if middle := (low + high) / 2; certified(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// HighestCertified returns the highest of [Percentiles] that n requests can
// carry and is at most the wanted one, and false when n is too small for any.
func HighestCertified(n int, wanted float64) (float64, bool) {
	for _, p := range slices.Backward(Percentiles) {
		if p <= wanted && n >= MinSamples(p) {
			return p, true
		}
	}
	return 0, false
}

// UpperBound returns MLPerf's early-stopping estimate of percentile p: the value
// that the true percentile does not exceed, at [PercentileConfidence]. The values
// are in rising order. It is false when fewer than [MinSamples] are given.
func UpperBound(sorted []float64, p float64) (float64, bool) {
	n := len(sorted)
	if n < MinSamples(p) {
		return math.NaN(), false
	}
	return sorted[n-AllowedOver(n, p)], true
}

// binomialCDF is the chance of at most k successes in n trials of probability q.
func binomialCDF(k, n int, q float64) float64 {
	sum := 0.0
	for i := 0; i <= min(k, n); i++ {
		sum += binomial(i, n, q)
	}
	return min(sum, 1)
}

// binomial is the chance of exactly k successes.
func binomial(k, n int, q float64) float64 {
	switch {
	case q == 0 && k == 0, q == 1 && k == n:
		return 1
	case q == 0, q == 1:
		return 0
	}
	return math.Exp(logChoose(n, k) + float64(k)*math.Log(q) + float64(n-k)*math.Log1p(-q))
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}
