package stat

import (
	"math"
	"slices"
)

// TrendFloor is the least change over a series, as a share of its median, that
// counts as a trend however significant it is.
const TrendFloor = 0.05

// Trend is the outcome of a trend test over equally spaced windows.
type Trend struct {
	Slope      float64 // Sen's slope, a window
	Change     float64 // Slope over the whole series as a share of the median; +0.10: rises by a tenth
	Z          float64 // the test's statistic, without a sign
	P          float64 // two-sided, of Z; 1 when the series is too short
	Correction float64 // factor on the variance for autocorrelation
	Windows    int
}

// Found says whether the series drifts: significantly, and by more than
// [TrendFloor].
func (t Trend) Found() bool { return t.Drifts(Significance) }

// Drifts is Found at another significance. A correction that narrows the variance is
// not made use of: from a few windows it is chance more often than not, and with it
// stationary series of white noise are called drifting in 7 % of all cases instead of
// 5 %.
func (t Trend) Drifts(significance float64) bool {
	p := math.Erfc(t.Z * math.Sqrt(min(1, t.Correction)) / math.Sqrt2)
	return p <= significance && math.Abs(t.Change) > TrendFloor
}

// MannKendall tests a series for a monotonic trend. The variance is corrected for
// autocorrelation by Hamed and Rao's method (ranks of the series less Sen's
// slope; significant lags only), without which windows that resemble their
// neighbours would pass for a trend. A correction that is not positive, possible
// in a short alternating series, is left out. Series of fewer than four windows
// have no trend.
//
// Source: Mann 1945; Hamed and Rao, Journal of Hydrology 204 (1998); Sen 1968.
func MannKendall(values []float64) Trend {
	n := len(values)
	if n < 4 {
		return Trend{P: 1, Correction: 1, Windows: n}
	}
	slope := senSlope(values)
	t := Trend{Slope: slope, P: 1, Correction: hamedRao(values, slope), Windows: n}
	if m := middle(slices.Sorted(slices.Values(values))); m != 0 {
		t.Change = slope * float64(n-1) / math.Abs(m)
	}
	score := kendallScore(values)
	variance := kendallVariance(values) * t.Correction
	if score != 0 && variance > 0 {
		t.Z = (math.Abs(score) - 1) / math.Sqrt(variance)
		t.P = math.Erfc(t.Z / math.Sqrt2)
	}
	return t
}

// kendallScore counts the pairs that rise less those that fall.
func kendallScore(values []float64) float64 {
	score := 0
	for i, x := range values {
		for _, y := range values[i+1:] {
			score += compareFloat(y, x)
		}
	}
	return float64(score)
}

func kendallVariance(values []float64) float64 {
	term := func(n float64) float64 { return n * (n - 1) * (2*n + 5) }
	variance := term(float64(len(values)))
	for _, ties := range multiplicities(values) {
		variance -= term(ties)
	}
	return variance / 18
}

func senSlope(values []float64) float64 {
	slopes := make([]float64, 0, len(values)*(len(values)-1)/2)
	for i, x := range values {
		for j, y := range values[i+1:] {
			slopes = append(slopes, (y-x)/float64(j+1))
		}
	}
	slices.Sort(slopes)
	return middle(slopes)
}

// hamedRao is the factor by which autocorrelation widens the variance of
// Kendall's score.
func hamedRao(values []float64, slope float64) float64 {
	level := make([]float64, len(values))
	for i, v := range values {
		// The outer conversion forbids a fused multiply-add, which would break
		// ties on some machines and not on others.
		level[i] = v - float64(float64(i+1)*slope)
	}
	n := float64(len(values))
	bound := math.Sqrt2 * math.Erfinv(1-Significance) / math.Sqrt(n)
	sum := 0.0
	for lag, r := range autocorrelation(doubledRanks(level)) {
		if k := float64(lag); lag > 0 && math.Abs(r) > bound {
			sum += (n - k) * (n - k - 1) * (n - k - 2) * r
		}
	}
	factor := 1 + 2/(n*(n-1)*(n-2))*sum
	if factor <= 0 {
		return 1
	}
	return factor
}

// autocorrelation at every lag from 0; all zero for a constant series.
func autocorrelation(values []int) []float64 {
	mean := 0.0
	for _, v := range values {
		mean += float64(v) / float64(len(values))
	}
	r := make([]float64, len(values))
	for lag := range r {
		for i, v := range values[lag:] {
			r[lag] += (float64(v) - mean) * (float64(values[i]) - mean)
		}
	}
	if r[0] == 0 {
		return make([]float64, len(values))
	}
	for lag := range slices.Backward(r) {
		r[lag] /= r[0]
	}
	return r
}
