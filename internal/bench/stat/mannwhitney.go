package stat

import (
	"math"
	"slices"
)

// Significance is the two-sided p-value at or below which a difference counts.
const Significance = 0.05

// exactLimit is the product of both sample sizes up to which the Mann-Whitney
// distribution is counted out; above it the normal approximation is as good.
const exactLimit = 400

// MannWhitney returns U of the first sample (pairs it wins, ties counted half)
// and the two-sided p-value of "both come from one distribution". Small samples
// are counted out exactly, ties included; large ones use the normal
// approximation with corrections for ties and continuity. p is 1 when a sample
// is empty.
//
// Source: Mann and Whitney 1947; Lehmann, Nonparametrics, chapter 1.
func MannWhitney(a, b []float64) (u, p float64) {
	if len(a) == 0 || len(b) == 0 {
		return 0, 1
	}
	ranks := doubledRanks(slices.Concat(a, b))
	sum := 0
	for _, r := range ranks[:len(a)] {
		sum += r
	}
	u = float64(sum)/2 - float64(len(a)*(len(a)+1))/2
	if len(a)*len(b) <= exactLimit {
		return u, exactP(ranks, len(a), sum)
	}
	return u, approximateP(ranks, len(a), u)
}

// doubledRanks gives every value twice its rank; tied values share the middle of
// theirs, which doubling keeps whole.
func doubledRanks(values []float64) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return compareFloat(values[i], values[j]) })
	ranks := make([]int, len(values))
	for from := 0; from < len(order); {
		to := from
		for to+1 < len(order) && values[order[to+1]] == values[order[from]] {
			to++
		}
		for _, i := range order[from : to+1] {
			ranks[i] = from + to + 2
		}
		from = to + 1
	}
	return ranks
}

func compareFloat(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// exactP doubles the smaller tail of the rank sum over all ways to draw size of
// the ranks.
func exactP(ranks []int, size, sum int) float64 {
	ways := rankSums(ranks, size)
	var total, low, high float64
	for s, count := range ways {
		total += count
		if s <= sum {
			low += count
		}
		if s >= sum {
			high += count
		}
	}
	return min(1, 2*min(low, high)/total)
}

// rankSums counts, for every sum, the ways to draw size of the ranks that give it.
func rankSums(ranks []int, size int) []float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	drawn := make([][]float64, size+1)
	for k := range drawn {
		drawn[k] = make([]float64, total+1)
	}
	drawn[0][0] = 1
	for _, r := range ranks {
		for k := size; k > 0; k-- {
			for s := total; s >= r; s-- {
				drawn[k][s] += drawn[k-1][s-r]
			}
		}
	}
	return drawn[size]
}

func approximateP(ranks []int, size int, u float64) float64 {
	n1, n := float64(size), float64(len(ranks))
	n2 := n - n1
	ties := 0.0
	for _, t := range multiplicities(ranks) {
		ties += t*t*t - t
	}
	deviation := math.Sqrt(n1 * n2 / 12 * (n + 1 - ties/(n*(n-1))))
	if deviation == 0 {
		return 1
	}
	z := (math.Abs(u-n1*n2/2) - 0.5) / deviation
	return min(1, math.Erfc(z/math.Sqrt2))
}

// multiplicities counts how often each distinct value occurs.
func multiplicities[T comparable](values []T) map[T]float64 {
	counts := make(map[T]float64, len(values))
	for _, v := range values {
		counts[v]++
	}
	return counts
}
