package cpu

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the calling thread's processor time: on a shared machine an engine's
// speed is told by what it used, not by when it was let run.
func threadTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(t.Nano())
}
