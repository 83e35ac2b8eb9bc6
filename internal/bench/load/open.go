package load

import (
	"context"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
)

// Open sends each request at its time in the schedule, however many are under
// way: users do not wait for each other.
type Open struct {
	// Schedule holds the intended times from the start of the run, ascending. It
	// was made before the run, from a seed or a file, and never depends on what the
	// service does.
	Schedule []time.Duration
	// Sleep waits for a time or the end of ctx; nil: [Precise]. [Rest] follows a
	// fake clock too.
	Sleep func(ctx context.Context, d time.Duration)
}

// Run follows the schedule to its end or that of ctx, and waits for the replies.
func (o Open) Run(ctx context.Context, do Do, sink Sink) Run {
	sleep := o.Sleep
	if sleep == nil {
		precise, release := Precise()
		defer release()
		sleep = precise
	}
	l := &openLoop{do: do, sink: sink, start: time.Now()}
	for seq, intended := range o.Schedule {
		if wait := intended - time.Since(l.start); wait > 0 {
			sleep(ctx, wait)
		}
		if ctx.Err() != nil {
			break
		}
		l.requests.Go(func() { l.send(ctx, seq, intended) })
	}
	l.requests.Wait()
	return Run{Started: l.start, Elapsed: l.last}
}

type openLoop struct {
	do       Do
	start    time.Time
	requests sync.WaitGroup

	mu   sync.Mutex
	last time.Duration
	sink Sink
}

func (l *openLoop) send(ctx context.Context, seq int, intended time.Duration) {
	sent := time.Since(l.start)
	outcome := l.do(ctx, seq)
	finished := time.Since(l.start)
	if outcome == driver.Canceled {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = max(l.last, finished)
	l.sink(Sample{seq, intended, sent, finished, outcome})
}
