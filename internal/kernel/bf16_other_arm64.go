//go:build !linux && !darwin && !purego

package kernel

// hasBF16 tells that it is not known how this system reports BF16.
func hasBF16() bool { return false }
