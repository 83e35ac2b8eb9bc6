package main

import (
	"cmp"
	"os"
	"runtime"
)

// leaveRoomForRequests lets goroutines that read and answer requests run beside
// the engine's, of which there is one a core: in turn with them, each step of a
// request would wait until the scheduler interrupts a kernel, up to 10 ms. The
// system shares its cores out sooner. A GOMAXPROCS in the environment is the
// user's own choice.
func (c *serveCommand) leaveRoomForRequests() {
	cores := runtime.GOMAXPROCS(0)
	c.Threads = cmp.Or(c.Threads, cores)
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * cores)
	}
}
