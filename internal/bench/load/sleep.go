package load

import (
	"context"
	"time"
)

// Rest waits for d or the end of ctx by the runtime's timers. They are up to a
// millisecond late on Linux, whose epoll they wait in.
func Rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
