package stat

import (
	"math"
	"slices"
)

// Confidence is the coverage that intervals aim for.
const Confidence = 0.95

// Estimate is a figure with the interval that holds the true one.
type Estimate struct {
	Value float64 // NaN when there is nothing to estimate from
	Lo    float64 // the interval's ends; equal to Value when N is 1
	Hi    float64
	Level float64 // coverage reached: below Confidence when N is too small for it, 0 for N < 2
	N     int     // repeats, or pairs of repeats for a ratio
}

// Missing is the estimate of nothing.
func Missing() Estimate {
	nan := math.NaN()
	return Estimate{Value: nan, Lo: nan, Hi: nan}
}

// Known says whether there is a figure at all.
func (e Estimate) Known() bool { return !math.IsNaN(e.Value) }

// Overlaps says whether two intervals share a value.
func (e Estimate) Overlaps(other Estimate) bool { return e.Lo <= other.Hi && other.Lo <= e.Hi }

// Median returns the median of values and its distribution-free interval: the
// narrowest pair of order statistics, equally far from both ends, that covers the
// true median with at least [Confidence]. Below six values no pair does; then the
// interval is the whole range, and Level says what it covers (5 values: 0.9375).
//
// Source: Conover, Practical Nonparametric Statistics, section 3.2.
func Median(values []float64) Estimate {
	n := len(values)
	if n == 0 {
		return Missing()
	}
	sorted := slices.Sorted(slices.Values(values))
	below := 0 // values cut off at either end
	for below+1 < (n+1)/2 && medianCoverage(below+1, n) >= Confidence {
		below++
	}
	return Estimate{
		Value: middle(sorted),
		Lo:    sorted[below],
		Hi:    sorted[n-1-below],
		Level: max(medianCoverage(below, n), 0),
		N:     n,
	}
}

// medianCoverage is the chance that the median lies between the values that
// remain when below of n are cut off at either end.
func medianCoverage(below, n int) float64 { return 1 - 2*binomialCDF(below, n, 0.5) }

// middle is the median of values in rising order.
func middle(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
