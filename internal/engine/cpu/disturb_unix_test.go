//go:build unix

package cpu

import (
	"io"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"syscall"
	"testing"
	"time"
)

// disturb lets the collector run all the time, the profiler's signals (SIGPROF) come
// and preemption's (SIGURG) hail down, until the function that it returns is called.
func disturb(t *testing.T) (calm func()) {
	t.Helper()
	percent := debug.SetGCPercent(1)
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Logf("without the profiler's signals: %v", err)
	}
	stop := make(chan struct{})
	var hail sync.WaitGroup
	hail.Go(func() {
		tick := time.NewTicker(100 * time.Microsecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				garbage := make([]byte, 1<<16) // so that the collector has something to do
				syscall.Kill(syscall.Getpid(), syscall.Signal(garbage[0])+syscall.SIGURG)
			}
		}
	})
	return func() {
		close(stop)
		hail.Wait()
		pprof.StopCPUProfile()
		debug.SetGCPercent(percent)
	}
}
