//go:build !linux

package kernel

import (
	"testing"
	"time"
)

var started = time.Now()

// cpuTime is the time that passed, for want of a thread's own.
func cpuTime(testing.TB) time.Duration { return time.Since(started) }
