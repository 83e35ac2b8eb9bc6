package stat

import (
	"math"
	"slices"
)

// Ratio estimates how many times as large the first sample is as the second: the
// median of all pairwise quotients, with the interval that the Mann-Whitney test
// does not reject (Hodges and Lehmann's shift, on a logarithmic scale). Its Level
// is what the interval covers; samples too small for [Confidence] get the whole
// range. All values must be above zero, else the estimate is [Missing].
//
// Source: Hodges and Lehmann 1963; Lehmann, Nonparametrics, section 2.6.
func Ratio(a, b []float64) Estimate {
	if len(a) == 0 || len(b) == 0 || slices.Min(a) <= 0 || slices.Min(b) <= 0 {
		return Missing()
	}
	quotients := make([]float64, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			quotients = append(quotients, x/y)
		}
	}
	slices.Sort(quotients)
	cut, tail := quotientsCut(len(a), len(b))
	return Estimate{
		Value: middle(quotients),
		Lo:    quotients[cut],
		Hi:    quotients[len(quotients)-1-cut],
		Level: 1 - 2*tail,
		N:     len(quotients),
	}
}

// quotientsCut returns how many quotients to cut off at either end for an
// interval of [Confidence], and the chance that the true one lies below it.
func quotientsCut(n1, n2 int) (cut int, tail float64) {
	const half = (1 - Confidence) / 2
	if n1*n2 > exactLimit {
		mean := float64(n1*n2) / 2
		deviation := math.Sqrt(mean * float64(n1+n2+1) / 6)
		quantile := math.Sqrt2 * math.Erfinv(Confidence)
		return max(0, int(mean-quantile*deviation)), half
	}
	ranks := make([]int, n1+n2)
	for i := range ranks {
		ranks[i] = i + 1
	}
	ways := rankSums(ranks, n1)
	least := n1 * (n1 + 1) / 2 // the rank sum of U = 0
	total := 0.0
	for _, count := range ways {
		total += count
	}
	tail = ways[least] / total
	for cut+1 < n1*n2/2 {
		next := tail + ways[least+cut+1]/total
		if next > half {
			break
		}
		cut, tail = cut+1, next
	}
	return cut, tail
}

// Separable says whether samples of these sizes can be told apart at all: if they
// lie wholly apart, their Mann-Whitney p is at most [Significance]. Four and four
// can, three and three cannot.
func Separable(n1, n2 int) bool {
	return n1 > 0 && n2 > 0 && 2*math.Exp(-logChoose(n1+n2, n1)) <= Significance
}

// Differs says whether two samples are told apart: their Mann-Whitney p is at
// most [Significance], and the intervals of their medians do not overlap.
func Differs(a, b []float64) bool {
	_, p := MannWhitney(a, b)
	return p <= Significance && !Median(a).Overlaps(Median(b))
}
