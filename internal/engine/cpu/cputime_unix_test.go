//go:build unix

package cpu

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is the process's processor time: on a shared machine an engine's speed is
// told by what it used, not by when it was let run.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
