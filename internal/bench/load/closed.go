package load

import (
	"context"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
)

// Closed is a loop of clients, each of which sends its next request when its
// last one has ended. It stops sending at the first bound it meets; a bound of
// 0 is none. Requests under way are then waited for.
type Closed struct {
	Clients  int
	Requests int           // in all
	Duration time.Duration // of sending
}

// A client that failed waits before it tries again, so that a service that
// refuses at once is asked, not flooded: the wait doubles to a second and ends
// with the first success.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// Run loads until a bound is met or ctx ends, which cuts off what is under way.
func (c Closed) Run(ctx context.Context, do Do, sink Sink) Run {
	l := &closedLoop{Closed: c, do: do, sink: sink, start: time.Now()}
	var clients sync.WaitGroup
	for range c.Clients {
		clients.Go(func() { l.client(ctx) })
	}
	clients.Wait()
	return Run{Started: l.start, Elapsed: l.last}
}

type closedLoop struct {
	Closed
	do    Do
	start time.Time

	mu   sync.Mutex
	next int
	last time.Duration
	sink Sink
}

func (l *closedLoop) client(ctx context.Context) {
	pause := firstPause
	for {
		intended := time.Since(l.start)
		seq, more := l.take(ctx, intended)
		if !more {
			return
		}
		sent := time.Since(l.start)
		outcome := l.do(ctx, seq)
		if outcome == driver.Canceled {
			return
		}
		l.done(Sample{seq, intended, sent, time.Since(l.start), outcome})
		if outcome == driver.OK {
			pause = firstPause
			continue
		}
		Rest(ctx, pause)
		pause = min(2*pause, lastPause)
	}
}

func (l *closedLoop) take(ctx context.Context, now time.Duration) (seq int, more bool) {
	if ctx.Err() != nil || l.Duration > 0 && now >= l.Duration {
		return 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Requests > 0 && l.next >= l.Requests {
		return 0, false
	}
	seq = l.next
	l.next++
	return seq, true
}

func (l *closedLoop) done(s Sample) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = max(l.last, s.Finished)
	l.sink(s)
}
