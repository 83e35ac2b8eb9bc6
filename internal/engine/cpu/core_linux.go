package cpu

import "golang.org/x/sys/unix"

// currentThread tells threads apart.
func currentThread() int { return unix.Gettid() }
