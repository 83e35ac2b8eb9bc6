package cpu

import (
	"sync"
	"sync/atomic"
	"time"
)

// rest is where the workers of a team wait for each other.
type rest struct {
	mu     sync.Mutex
	wake   sync.Cond
	asleep atomic.Int32
}

// patience is how long a wait goes on awake. Waits are a matter of microseconds, as
// many as waking takes, unless the system has given the other's core to somebody else
// or there is nothing to share for long: then this core's time belongs to others too.
const patience = 50 * time.Microsecond

// until returns once ready tells so. Who makes it so calls rouse.
func (r *rest) until(ready func() bool) {
	since := time.Now()
	for turns := 1; !ready(); turns++ {
		if turns%1024 != 0 {
			continue
		}
		if time.Since(since) > patience {
			r.sleep(ready)
			return
		}
	}
}

func (r *rest) sleep(ready func() bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asleep.Add(1) // before ready is asked: from here on whoever makes it so sees a sleeper
	for !ready() {
		r.wake.Wait()
	}
	r.asleep.Add(-1)
}

func (r *rest) rouse() {
	if r.asleep.Load() > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.wake.Broadcast()
	}
}
