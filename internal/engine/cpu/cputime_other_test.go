//go:build !unix

package cpu

import (
	"testing"
	"time"
)

var started = time.Now()

// cpuTime is the time that passed, for want of the process's own.
func cpuTime(testing.TB) time.Duration { return time.Since(started) }
