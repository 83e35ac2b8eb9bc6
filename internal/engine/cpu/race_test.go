//go:build race

package cpu

// raceEnabled: the race detector makes sync.Pool drop what it holds.
const raceEnabled = true
