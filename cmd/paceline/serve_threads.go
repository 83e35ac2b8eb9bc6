package main

import (
	"cmp"
	"fmt"
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

// mostThreads is beyond every machine there is: more are a slip of the hand, and each
// would cost memory.
const mostThreads = 1024

// checkThreads looks at the value of --threads.
func checkThreads(n int) error {
	switch {
	case n < 0:
		return fmt.Errorf("--threads is %d; it must be at least 1, or 0 for one a core", n)
	case n > mostThreads:
		return fmt.Errorf("--threads is %d; it must be at most %d", n, mostThreads)
	}
	return nil
}
