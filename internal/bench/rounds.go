package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// measurePlan plans and runs the timed rounds.
func (b *bench) measurePlan(ctx context.Context) {
	b.leaveOutSlow(ctx)
	speeds := b.speeds()
	if len(speeds) == 0 || ctx.Err() != nil {
		return
	}
	b.plan = newPlan(b.costed(), speeds, b.Effort, b.left(1-maxBatchShare))
	b.Watcher.Planned(b.slices(0), seconds(total(b.plan.cells)))
	for round := 0; round < b.plan.rounds() && ctx.Err() == nil; round++ {
		ratio := b.round(ctx, round)
		b.replan(round, ratio)
		b.note()
	}
	b.doubtRepeats()
}

// round measures every cell that has repeats left, once for every stack, and
// returns how its time compares with the estimate. When the time is over, only
// sweeps of which nothing was measured yet go on, and the online cell, whose
// repeats certify its percentile together.
func (b *bench) round(ctx context.Context, round int) (ratio float64) {
	started, estimate := time.Now(), 0.0
	for i, c := range b.plan.cells {
		if c.Repeats <= round {
			continue
		}
		if ctx.Err() != nil || b.late(c.Sweep) {
			b.plan.cells[i].Repeats = round
			continue
		}
		estimate += c.cost
		b.turn(ctx, c, round)
		b.measured[c.Sweep] = true
		if ctx.Err() == nil {
			b.plan.cells[i].done++
		}
	}
	return time.Since(started).Seconds() / max(estimate, 1e-3)
}

// late tells whether the time for a sweep is over.
func (b *bench) late(s record.Sweep) bool {
	return b.spent(1-maxBatchShare) && b.measured[s] && s != record.SweepOnline
}

// doubtRepeats says which cells have fewer repeats than a comparison needs: to the
// readers of the results alone, who come to them in a moment.
func (b *bench) doubtRepeats() {
	short := append(b.short, b.plan.measured().short(b.Effort.Repeats)...)
	if len(short) == 0 {
		return
	}
	b.warnings = append(b.warnings, record.Warning{
		Code:   "short",
		Text:   fmt.Sprintf("Not all of the %d repeats fitted into the time (%s).", b.Effort.Repeats, strings.Join(short, "; ")),
		Advice: "Take --full, fewer stacks or fewer points for tighter intervals.",
	})
}

// replan spreads what is left of the budget over the repeats that are missing, at
// the cost that the last round had: it takes repeats away when slices take longer
// than estimated and gives them back when they do not.
func (b *bench) replan(round int, ratio float64) {
	if b.Effort.Budget == 0 {
		return
	}
	rest := plan{}
	for _, c := range b.plan.cells {
		c.cost *= ratio
		if c.Repeats = b.Effort.Repeats - c.done; b.late(c.Sweep) {
			c.Repeats = 0
		}
		rest.cells = append(rest.cells, c)
	}
	rest.fit(b.left(1 - maxBatchShare))
	for i := range rest.cells {
		b.plan.cells[i].Repeats = round + 1 + rest.cells[i].Repeats
	}
	if total(rest.cells) > 0 {
		b.Watcher.Planned(b.slices(round+1), seconds(total(rest.cells)))
	}
}

// slices counts those from a round on.
func (b *bench) slices(from int) (n int) {
	for _, c := range b.plan.cells {
		n += max(0, c.Repeats-from)
	}
	return n * len(b.compared(0))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// calibrate measures, for the plan, what one text and many cost each stack; that
// warms it up too.
func (b *bench) calibrate(ctx context.Context) {
	for _, s := range b.compared(0) {
		b.Watcher.Stage("warming up " + s.Name)
		if err := b.calibrateOne(ctx, s); err != nil {
			b.lose(ctx, s, fmt.Errorf("%s does not embed: %w", s.Name, err))
		}
	}
}

func (b *bench) calibrateOne(ctx context.Context, s *stack) error {
	return b.within(ctx, func(ctx context.Context) error { return s.calibrate(ctx, b.Data.Texts, b.patience()/4) })
}

// calibrate measures one text and the largest of some sizes that the stack embeds
// within the limit.
func (s *stack) calibrate(ctx context.Context, texts []string, limit time.Duration) error {
	one, err := s.embedSeconds(ctx, texts[:1])
	if err != nil {
		return err
	}
	s.learn(one, one, 1)
	for _, size := range []int{32, 8} {
		size = min(size, len(texts))
		attempt, cancel := context.WithTimeout(ctx, limit)
		many, err := s.embedSeconds(attempt, texts[:size])
		cancel()
		if err == nil {
			s.learn(one, many, size)
			return nil
		}
		if !refusedBy(err) && !timedOut(err) {
			return err
		}
	}
	return nil
}

// learn takes the seconds that one text and many at once took.
func (s *stack) learn(one, many float64, size int) {
	s.speed = newSpeed(one, many, size)
	if size > s.largest {
		s.largest, s.took = size, many
	}
}

func (b *bench) speeds() (list []speed) {
	for _, s := range b.compared(0) {
		list = append(list, s.speed)
	}
	return list
}

// costed is the points with the offline batch at its size for stacks that take it, and as
// many texts under way as at the busiest point that the ceiling is compared with: within a
// budget the headline's, without one any.
func (b *bench) costed() []Point {
	points := slices.Clone(b.Points)
	largest, underWay := 1, 0
	for _, p := range points {
		largest = max(largest, p.BatchSize)
		if p.Headline || b.Effort.Budget == 0 {
			underWay = max(underWay, p.BatchSize*p.Concurrency)
		}
	}
	for i := range points {
		if p := &points[i]; p.Sweep == record.SweepOffline {
			p.BatchSize, p.Concurrency = largest, max(offlineClients, (underWay+largest-1)/largest)
		}
	}
	return points
}

// turn measures one cell once for every stack, one after the other; which begins
// changes with the round.
func (b *bench) turn(ctx context.Context, c planned, round int) {
	for _, s := range b.compared(round) {
		own := c
		if c.Sweep == record.SweepOffline {
			own = c.atMost(max(1, s.largest))
		}
		if s.refused[own.Point] || ctx.Err() != nil {
			continue
		}
		if err := b.slice(ctx, s, own, b.Data, round); err != nil {
			b.lose(ctx, s, err)
		}
	}
}
