package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// memoryBatch is how many texts the memory sweep embeds at once.
const memoryBatch = 32

// measureMemory loads fresh processes with longer and longer texts. It comes first
// and in that order because servers seldom give memory back: what is resident at
// one length was needed for it or a shorter one, and for no earlier load. Further
// repeats take fresh processes, where starting them is cheap; a stack that cannot
// be started anew is measured once.
func (b *bench) measureMemory(ctx context.Context) {
	for repeat := range b.Effort.Repeats {
		if ctx.Err() != nil {
			return
		}
		if repeat > 0 && b.spent(memoryShare) {
			b.short = append(b.short, fmt.Sprintf("memory: %d of %d", repeat, b.Effort.Repeats))
			return
		}
		stacks := b.alive(repeat)
		if repeat > 0 {
			stacks = b.restarted(ctx, stacks)
		}
		if len(stacks) == 0 || len(b.ByLength) == 0 {
			return
		}
		b.Watcher.Stage(fmt.Sprintf("memory by text length, repeat %d", repeat+1))
		b.memoryRound(ctx, stacks, repeat)
	}
}

// memoryRound takes the lengths in rising order. On a machine so slow that the
// shorter ones took two fifths of the time there is, the rest is left out.
func (b *bench) memoryRound(ctx context.Context, stacks []*stack, repeat int) {
	for _, length := range slices.Sorted(maps.Keys(b.ByLength)) {
		p := planned{Requests: b.Effort.Memory, Point: Point{
			Sweep: record.SweepTextLength, BatchSize: memoryBatch, Concurrency: 1, TextLength: length}}
		if b.spent(2 * memoryShare) {
			b.short = append(b.short, fmt.Sprintf("%s: %d of %d", p.Point, repeat, b.Effort.Repeats))
			continue
		}
		for _, s := range stacks {
			if s.record.Error != "" || s.refused[p.Point] || ctx.Err() != nil {
				continue
			}
			if err := b.slice(ctx, s, p, b.ByLength[length], repeat); err != nil {
				b.lose(ctx, s, err)
			}
		}
	}
}

// spent says whether a share of the budget has passed.
func (b *bench) spent(share float64) bool {
	return b.Effort.Budget > 0 && time.Since(b.Manifest.Started).Seconds() > share*b.Effort.Budget.Seconds()
}

// restarted gives those of the stacks that got a fresh process.
func (b *bench) restarted(ctx context.Context, stacks []*stack) (fresh []*stack) {
	for _, s := range stacks {
		if !s.cheap() {
			continue
		}
		if err := s.restart(ctx, b.Data.Texts[0]); err != nil {
			b.lose(ctx, s, err)
			continue
		}
		fresh = append(fresh, s)
	}
	return fresh
}
