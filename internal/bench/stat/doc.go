// Package stat holds the statistics behind every figure of a benchmark:
// percentiles that say whether enough requests stand behind them, medians with
// distribution-free intervals, the Mann-Whitney comparison of two stacks, and
// the Mann-Kendall test for a steady state.
//
// All are pure functions of numbers, assume no distribution, and keep their
// arguments as they were. The package knows no record, no unit and no verdict in
// words. Its results are checked against scipy and pymannkendall; see
// test/statistics at the root of the repository.
package stat
