package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/paceline/paceline/internal/bench/record"
)

// The memory sweep's load: batches of this size from one client.
const (
	memoryBatch    = 32
	memoryRequests = 2
)

// measureMemory loads fresh processes with longer and longer texts. It comes first
// and in that order because servers seldom give memory back: what is resident at
// one length was needed for it or a shorter one, and for no earlier load. Further
// repeats take fresh processes, where starting them is cheap; a stack that cannot
// be started anew is measured once.
func (b *bench) measureMemory(ctx context.Context) {
	for repeat := range b.Effort.Repeats {
		if ctx.Err() != nil || repeat > 0 && b.Effort.Budget > 0 && time.Since(b.Manifest.Started).Seconds() > memoryShare*b.Effort.Budget.Seconds() {
			return
		}
		b.memoryRound(ctx, repeat)
	}
}

func (b *bench) memoryRound(ctx context.Context, repeat int) {
	stacks := b.alive(repeat)
	if repeat > 0 {
		stacks = b.restarted(ctx, stacks)
	}
	for _, length := range slices.Sorted(maps.Keys(b.ByLength)) {
		b.Watcher.Stage(fmt.Sprintf("memory: texts of %d characters, repeat %d", length, repeat+1))
		for _, s := range stacks {
			p := planned{Requests: memoryRequests, Point: Point{
				Sweep: record.SweepTextLength, BatchSize: memoryBatch, Concurrency: 1, TextLength: length}}
			if s.record.Error != "" || s.refused[p.Point] || ctx.Err() != nil {
				continue
			}
			if err := b.slice(ctx, s, p, b.ByLength[length], repeat); err != nil {
				b.lose(ctx, s, err)
			}
		}
	}
}

// restarted gives those of the stacks that got a fresh process.
func (b *bench) restarted(ctx context.Context, stacks []*stack) (fresh []*stack) {
	for _, s := range stacks {
		if !s.cheap() || len(b.ByLength) == 0 {
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
