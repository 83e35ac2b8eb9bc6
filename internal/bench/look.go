package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
)

// sortOut leaves the stacks that compute something else out of the comparison, whose
// time they would take. Where not one is comparable, nobody loses by them: all are
// measured.
func (b *bench) sortOut() {
	comparable := false
	for _, s := range b.alive(0) {
		comparable = comparable || s.record.Agreement.Comparable
	}
	for _, s := range b.stacks {
		s.aside = comparable && !s.record.Agreement.Comparable
	}
}

// look gives the stacks that were left out one short slice of each kind of load, for
// the record.
func (b *bench) look(ctx context.Context) {
	for _, s := range b.alive(0) {
		if !s.aside || ctx.Err() != nil {
			continue
		}
		b.Watcher.Stage("a short look at " + s.Name)
		if err := b.glance(ctx, s); err != nil {
			b.lose(ctx, s, fmt.Errorf("%s does not embed: %w", s.Name, err))
		}
	}
}

func (b *bench) glance(ctx context.Context, s *stack) error {
	if err := b.calibrateOne(ctx, s); err != nil {
		return err
	}
	for _, p := range b.Points {
		if p.Sweep == record.SweepOffline {
			p.BatchSize, p.Concurrency = s.largest, offlineClients
		} else if p.Sweep != record.SweepOnline {
			continue
		}
		if err := b.slice(ctx, s, planned{Point: p, Requests: p.Concurrency, Warmup: 1}, b.Data, 0); err != nil {
			return err
		}
	}
	return nil
}

// leaveOutSlow loses stacks so slow that the others would not be measured for them:
// the least load of every kind does not fit into the time for all, and takes such a
// one more than its share and several times what the middle one needs.
func (b *bench) leaveOutSlow(ctx context.Context) {
	const far = 4
	for b.Effort.Budget > 0 && ctx.Err() == nil {
		needs, total := b.needs(), 0.0
		for _, n := range needs {
			total += n.seconds
		}
		left := b.left(1 - maxBatchShare)
		if len(needs) < 2 || total <= left {
			return
		}
		slowest, middle := needs[len(needs)-1], needs[(len(needs)-1)/2]
		if slowest.seconds < max(left/float64(len(needs)), far*middle.seconds) {
			return
		}
		b.lose(ctx, slowest.stack, fmt.Errorf("%s is too slow for a %s run of %s: the least load of every kind would take it %.0f s, and %.0f s are left for all; measure it for longer, or by itself",
			slowest.stack.Name, b.Effort.Name, english.Plural(len(needs), "stack", ""), slowest.seconds, left))
	}
}

// need is what a stack's least load of every kind takes.
type need struct {
	stack   *stack
	seconds float64
}

// needs lists those of the compared stacks, the least first.
func (b *bench) needs() (list []need) {
	for _, s := range b.compared(0) {
		cheapest := map[record.Sweep]float64{}
		for _, c := range stretched(b.costed(), []speed{s.speed}, b.Effort, 0) {
			if least, known := cheapest[c.Sweep]; !known || c.cost < least {
				cheapest[c.Sweep] = c.cost
			}
		}
		n := need{stack: s}
		for _, seconds := range cheapest {
			n.seconds += seconds
		}
		list = append(list, n)
	}
	slices.SortStableFunc(list, func(a, b need) int { return cmp.Compare(a.seconds, b.seconds) })
	return list
}
