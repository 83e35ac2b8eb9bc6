package stat

// ShareConfidence is the confidence with which at least a share p of all requests is
// within a limit, when over of n were beyond it: the one-sided Clopper-Pearson bound,
// which is MLPerf's early-stopping test too. 0 without requests.
func ShareConfidence(over, n int, p float64) float64 {
	if n == 0 {
		return 0
	}
	return 1 - binomialCDF(over, n, 1-p)
}

// ShareMissed is the confidence with which less than a share p is within the limit.
func ShareMissed(over, n int, p float64) float64 {
	if n == 0 {
		return 0
	}
	return binomialCDF(over-1, n, 1-p)
}

// AllowedOver is how many of n requests may be beyond the limit for a share p to be
// shown within it at [PercentileConfidence]; -1: n is too small for any.
func AllowedOver(n int, p float64) int {
	over, chance := -1, 0.0
	for over+1 <= n {
		chance += binomial(over+1, n, 1-p)
		if chance > 1-PercentileConfidence {
			break
		}
		over++
	}
	return over
}
