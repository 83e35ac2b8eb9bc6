//go:build !unix

package cpu

import (
	"runtime/debug"
	"testing"
)

// disturb lets the collector run all the time, until the function that it returns is
// called. Signals are Unix's.
func disturb(t *testing.T) (calm func()) {
	t.Helper()
	percent := debug.SetGCPercent(1)
	return func() { debug.SetGCPercent(percent) }
}
