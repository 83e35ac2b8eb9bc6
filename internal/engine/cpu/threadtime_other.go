//go:build !linux

package cpu

import "time"

var start = time.Now()

// threadTime is the time of day, where a thread's own is not to be had.
func threadTime() time.Duration { return time.Since(start) }
