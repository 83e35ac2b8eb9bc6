//go:build race

package wire

// slowdown is how much longer a loop over bits takes here.
const slowdown = 10
