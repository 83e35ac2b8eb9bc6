package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
)

// measurePlan calibrates, plans and runs the timed rounds.
func (b *bench) measurePlan(ctx context.Context) {
	b.calibrate(ctx)
	speeds := b.speeds()
	if len(speeds) == 0 || ctx.Err() != nil {
		return
	}
	short := b.plan.short // of the memory sweep
	b.plan = newPlan(b.costed(), speeds, b.Effort, b.left(1-maxBatchShare))
	b.plan.short = append(short, b.plan.short...)
	b.Watcher.Planned(b.slices(0), seconds(total(b.plan.cells)))
	for round := 0; round < b.plan.rounds() && ctx.Err() == nil; round++ {
		started, estimate := time.Now(), 0.0
		for _, c := range b.plan.cells {
			if c.Repeats > round {
				estimate += c.cost
				b.turn(ctx, c, round)
			}
		}
		b.replan(round, time.Since(started).Seconds()/max(estimate, 1e-3))
	}
	b.doubtRepeats()
}

// doubtRepeats says which cells have fewer repeats than a comparison needs.
func (b *bench) doubtRepeats() {
	if len(b.plan.short) == 0 {
		return
	}
	b.warn(record.Warning{
		Code:   "short",
		Text:   fmt.Sprintf("Not all of the %d repeats fitted into the time (%s).", b.Effort.Repeats, strings.Join(b.plan.short, "; ")),
		Advice: "Take --full, fewer stacks or fewer points for tighter intervals.",
	})
}

// left is what remains of a share of the budget, in seconds; 0 stands for no
// limit, so it never falls to that.
func (b *bench) left(share float64) float64 {
	if b.Effort.Budget == 0 {
		return 0
	}
	return max(1e-3, share*b.Effort.Budget.Seconds()-time.Since(b.Manifest.Started).Seconds())
}

// replan cuts the rest if the rounds so far took longer than they were estimated.
func (b *bench) replan(round int, ratio float64) {
	if b.Effort.Budget == 0 {
		return
	}
	rest := plan{}
	for _, c := range b.plan.cells {
		c.Repeats = max(0, c.Repeats-round-1)
		c.cost *= ratio
		rest.cells = append(rest.cells, c)
	}
	if total(rest.cells) == 0 {
		return
	}
	rest.fit(b.left(1 - maxBatchShare))
	for i := range rest.cells {
		if kept := round + 1 + rest.cells[i].Repeats; kept < b.plan.cells[i].Repeats {
			b.plan.short = append(b.plan.short, fmt.Sprintf("%s: %d of %d", b.plan.cells[i].Point, kept, b.plan.cells[i].Repeats))
			b.plan.cells[i].Repeats = kept
		}
	}
	b.Watcher.Planned(b.slices(round+1), seconds(total(rest.cells)))
}

// slices counts those from a round on.
func (b *bench) slices(from int) (n int) {
	for _, c := range b.plan.cells {
		n += max(0, c.Repeats-from)
	}
	return n * len(b.alive(0))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// calibrate measures, for the plan, what one text and many cost each stack; that
// warms it up too.
func (b *bench) calibrate(ctx context.Context) {
	for _, s := range b.alive(0) {
		b.Watcher.Stage("warming up " + s.Name)
		if err := s.calibrate(ctx, b.Data.Texts); err != nil {
			b.lose(ctx, s, fmt.Errorf("%s does not embed: %w", s.Name, err))
		}
	}
}

func (s *stack) calibrate(ctx context.Context, texts []string) error {
	const repeats = 2 // the memory sweep has warmed it up
	one, err := s.embedSeconds(ctx, texts[:1], repeats)
	if err != nil {
		return err
	}
	for _, size := range []int{32, 8, 1} { // the largest that it takes
		size = min(size, len(texts))
		many, err := s.embedSeconds(ctx, texts[:size], repeats)
		if err == nil {
			s.speed, s.largest = newSpeed(one, many, size), max(s.largest, size)
			return nil
		}
		if !refusedBy(err) {
			return err
		}
	}
	return nil
}

func (b *bench) speeds() (list []speed) {
	for _, s := range b.alive(0) {
		list = append(list, s.speed)
	}
	return list
}

// costed is the points with the offline batch at its likely size, for the costs.
func (b *bench) costed() []Point {
	points := make([]Point, len(b.Points))
	largest := 0
	for _, p := range b.Points {
		largest = max(largest, p.BatchSize)
	}
	for i, p := range b.Points {
		if p.Sweep == record.SweepOffline {
			p.BatchSize = largest
		}
		points[i] = p
	}
	return points
}

// turn measures one cell once for every stack, one after the other; which begins
// changes with the round.
func (b *bench) turn(ctx context.Context, c planned, round int) {
	for _, s := range b.alive(round) {
		own := c
		if c.Sweep == record.SweepOffline {
			own.BatchSize = min(c.BatchSize, s.largest)
		}
		if s.refused[own.Point] || ctx.Err() != nil {
			continue
		}
		if err := b.slice(ctx, s, own, b.Data, round); err != nil {
			b.lose(ctx, s, err)
		}
	}
}

// slice loads one stack with one cell and spools the records. Its error means that
// the stack is lost.
func (b *bench) slice(ctx context.Context, s *stack, c planned, texts Texts, repeat int) error {
	batches, err := texts.batches(s.driver, c.BatchSize, c.Requests)
	if err != nil {
		return err
	}
	cell := record.Cell{
		Stack: s.Name, Sweep: c.Sweep, BatchSize: c.BatchSize, Concurrency: c.Concurrency, TextLength: c.TextLength, Repeat: repeat,
	}
	if cell.WarmupSeconds, err = s.wake(ctx, c, texts); err != nil {
		return err
	}
	details := s.timed(ctx, &cell, c, batches)
	if ctx.Err() != nil {
		return nil // half a slice is none
	}
	if err := s.crashed(); err != nil {
		return err
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
	said := &complaints{first: map[driver.Outcome]string{}}
	watch := sample.Start(s.pid)
	run := load.Closed{Clients: c.Concurrency, Requests: c.Requests, Duration: sliceLimit(s.speed.seconds(c.Point, c.Requests))}.
		Run(ctx, said.listen(s.driver, batches), func(x load.Sample) {
			batch := batches[x.Seq%len(batches)]
			cell.Requests.Add(x.Intended, x.Sent, x.Finished, batch.Texts, batch.tokens, string(x.Outcome))
		})
	cell.Started, cell.Seconds = run.Started, run.Elapsed.Seconds()
	cell.Samples, cell.PeakBytes = watch.Stop(run.Started)
	return said
}

// sliceLimit ends a slice that takes many times what it was estimated at.
func sliceLimit(estimate float64) time.Duration {
	return 5*time.Second + seconds(4*estimate)
}

// complaints keeps the first message of each kind of failure.
type complaints struct {
	mu    sync.Mutex
	first map[driver.Outcome]string
}

func (c *complaints) listen(d driver.Driver, batches []batch) load.Do {
	return func(ctx context.Context, seq int) driver.Outcome {
		reply := d.Send(ctx, batches[seq%len(batches)].Request)
		if reply.Outcome != driver.OK {
			c.note(reply)
		}
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
