package bench

import (
	"context"
	"errors"
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
		stacks := b.compared(repeat)
		if repeat > 0 {
			stacks = b.restarted(ctx, stacks)
		}
		if len(stacks) == 0 || len(b.ByLength) == 0 {
			return
		}
		b.Watcher.Stage(fmt.Sprintf("memory by text length, repeat %d", repeat+1))
		b.memoryRound(ctx, stacks, repeat)
		b.note()
	}
}

// memoryRound takes the lengths in rising order. On a machine so slow that two fifths
// of the time there is would not do for the next one, by what the last one took, the
// rest is left out.
func (b *bench) memoryRound(ctx context.Context, stacks []*stack, repeat int) {
	perCharacter := 0.0 // seconds that all stacks together took
	for _, length := range slices.Sorted(maps.Keys(b.ByLength)) {
		p := planned{Requests: b.Effort.Memory, Point: memoryPoint(length)}
		began := time.Now()
		if b.Effort.Budget > 0 && perCharacter*float64(length) >= b.left(2*memoryShare) {
			b.short = append(b.short, fmt.Sprintf("%s: %d of %d", p.Point, repeat, b.Effort.Repeats))
			continue
		}
		for _, s := range stacks {
			if s.record.Error != "" || s.refused[p.Point] || ctx.Err() != nil {
				continue
			}
			err := b.slice(ctx, s, p, b.ByLength[length], repeat)
			var silent *silentError
			switch {
			case errors.As(err, &silent): // longer ones it would not answer in time either
				b.refuseFrom(s, length)
				b.short = append(b.short, fmt.Sprintf("%s from %s on: none", s.Name, p.Point))
			case err != nil:
				b.lose(ctx, s, err)
			}
		}
		perCharacter = time.Since(began).Seconds() / float64(length)
	}
}

// refuseFrom spares a stack the texts of a length and longer ones.
func (b *bench) refuseFrom(s *stack, length int) {
	for l := range b.ByLength {
		if l >= length {
			s.refused[memoryPoint(l)] = true
		}
	}
}

func memoryPoint(length int) Point {
	return Point{Sweep: record.SweepTextLength, BatchSize: memoryBatch, Concurrency: 1, TextLength: length}
}

// restarted gives those of the stacks that got a fresh process.
func (b *bench) restarted(ctx context.Context, stacks []*stack) (fresh []*stack) {
	for _, s := range stacks {
		if !s.cheap() {
			continue
		}
		if err := b.restart(ctx, s); err != nil {
			b.lose(ctx, s, err)
			continue
		}
		fresh = append(fresh, s)
	}
	return fresh
}
