//go:build !race

package decimal

const slowdown = 1
