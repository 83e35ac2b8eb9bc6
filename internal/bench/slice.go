package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
)

// slice loads one stack with one cell and spools the records. Its error means that
// the stack is lost.
func (b *bench) slice(ctx context.Context, s *stack, c planned, texts Texts, repeat int) error {
	batches, err := texts.batches(s.driver, c.BatchSize, c.Requests)
	if err != nil {
		return err
	}
	cell := record.Cell{
		Stack: s.Name, Sweep: c.Sweep, BatchSize: c.BatchSize, Concurrency: c.Concurrency, TextLength: c.TextLength, Repeat: repeat, Scenario: c.Scenario,
	}
	estimate := s.speed.seconds(c.Point, c.Requests) + s.speed.seconds(c.warmup(), c.Warmup)
	limit := b.patience() + seconds(mostTimes*estimate)
	bounded, end := s.whileUp(ctx, limit)
	defer end()
	if cell.WarmupSeconds, err = s.wake(bounded, c, texts); err != nil {
		return err
	}
	details := s.timed(bounded, &cell, c, batches)
	if ctx.Err() == nil {
		if err := s.crashedIn(ctx, &cell); err != nil {
			return err
		}
	}
	if bounded.Err() != nil && len(cell.Requests.Outcome) < c.Requests {
		if keep, err := b.cutOff(ctx, s, &cell, c, limit); !keep {
			return err
		}
	}
	b.judge(s, &cell, c.Point, details)
	if err := b.spool.add(&cell); err != nil {
		b.stop(fmt.Errorf("write the records: %w", err))
		return nil
	}
	b.Watcher.Measured(&cell)
	return nil
}

// wake sends what comes before the clock starts.
func (s *stack) wake(ctx context.Context, c planned, texts Texts) (seconds float64, err error) {
	if c.Warmup == 0 {
		return 0, nil
	}
	batches, err := texts.batches(s.driver, c.Point.warmup().BatchSize, c.Warmup)
	if err != nil {
		return 0, err
	}
	send := func(ctx context.Context, seq int) driver.Outcome {
		return s.driver.Send(ctx, batches[seq%len(batches)].Request).Outcome
	}
	start := time.Now()
	load.Closed{Clients: c.Concurrency, Requests: c.Warmup}.Run(ctx, send, func(load.Sample) {})
	return time.Since(start).Seconds(), nil
}

// timed runs the clock and returns what the service said about failures.
func (s *stack) timed(ctx context.Context, cell *record.Cell, c planned, batches []batch) *complaints {
	said := newComplaints()
	watch := sample.Start(s.source)
	run := load.Closed{Clients: c.Concurrency, Requests: c.Requests, Duration: sendingLimit(s.speed.seconds(c.Point, c.Requests))}.
		Run(ctx, said.listen(s.driver, batches), func(x load.Sample) {
			batch := batches[x.Seq%len(batches)]
			cell.Requests.Add(x.Intended, x.Sent, x.Finished, batch.Texts, batch.tokens, string(x.Outcome))
			said.times.end(x)
		})
	cell.Started, cell.Seconds = run.Started, run.Elapsed.Seconds()
	cell.Samples, cell.PeakBytes = watch.Stop(run.Started)
	cell.Breakdown = said.times.cut()
	return said
}

// crashedIn says how a server of ours ended in a slice, if it did. A slice that
// ended without contact is reason to wait for the end.
func (s *stack) crashedIn(ctx context.Context, cell *record.Cell) error {
	if s.server == nil {
		return nil
	}
	if n := len(cell.Requests.Outcome); n > 0 && lostContact(driver.Outcome(cell.Requests.Outcome[n-1])) {
		return s.crashedSince(ctx)
	}
	return s.server.Crashed()
}

func lostContact(o driver.Outcome) bool { return o == driver.Refused || o == driver.Reset }

// A slice may take so many times what it was estimated at, and some seconds more.
const mostTimes = 4

// sendingLimit ends the sending of a slice that takes too long.
func sendingLimit(estimate float64) time.Duration {
	return 5*time.Second + seconds(mostTimes*estimate)
}

// cutOff decides what becomes of a slice that was cut off: what was measured is kept
// and marked, and the point is not tried again. Where nothing was, the stack keeps
// silent, unless there was no time left for it; and when the user ends a run, half a
// slice is none.
func (b *bench) cutOff(ctx context.Context, s *stack, cell *record.Cell, c planned, limit time.Duration) (keep bool, err error) {
	n := len(cell.Requests.Outcome)
	switch {
	case ctx.Err() != nil && (!over(ctx) || n == 0):
		return false, nil
	case n == 0:
		return false, fmt.Errorf("%s did not answer at %s: %w", s.Name, c.Point, &silentError{limit, b.Effort.Name, nil})
	}
	why := fmt.Sprintf("it took more than %d times what it was estimated at", mostTimes)
	if over(ctx) {
		why = "the run's time was over"
	}
	cell.Invalid = fmt.Sprintf("Cut off after %d of %s: %s.", n, english.Plural(c.Requests, "request", ""), why)
	s.refused[c.Point] = true
	return true, nil
}

// complaints keeps the first message of each kind of failure, and what the service
// told of the time that its successes took.
type complaints struct {
	mu    sync.Mutex
	first map[driver.Outcome]string
	times breakdown
}

func newComplaints() *complaints { return &complaints{first: map[driver.Outcome]string{}} }

func (c *complaints) listen(d driver.Driver, batches []batch) load.Do {
	return func(ctx context.Context, seq int) driver.Outcome {
		reply := d.Send(ctx, batches[seq%len(batches)].Request)
		if reply.Outcome != driver.OK {
			c.note(reply)
		}
		c.times.note(seq, reply.Times)
		return reply.Outcome
	}
}

func (c *complaints) note(r driver.Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.first[r.Outcome]; !known {
		c.first[r.Outcome] = r.Detail
	}
}

// refusedBy tells a service that turns a request down from one that fails.
func refusedBy(err error) bool {
	var failure *driver.Failure
	return errors.As(err, &failure) && (failure.Outcome == driver.Client4xx || failure.Outcome == driver.Overloaded)
}
