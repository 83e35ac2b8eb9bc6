//go:build race

package decimal

// slowdown is how much longer a loop over bits takes here.
const slowdown = 10
