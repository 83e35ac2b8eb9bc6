//go:build race

package cpu

// raceEnabled tells that the race detector is on.
const raceEnabled = true
