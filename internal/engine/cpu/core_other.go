//go:build !linux

package cpu

func currentThread() int { return 0 }
