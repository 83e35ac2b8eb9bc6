package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// rateDrain is how long replies are waited for after the last sending of a rate.
const rateDrain = 5 * time.Second

// measureRates holds every rate for every stack, in turns, as often as the effort
// repeats a slice.
func (b *bench) measureRates(ctx context.Context) {
	if len(b.Demand.Rates) == 0 {
		return
	}
	slices, estimate := 0, time.Duration(0)
	for _, rate := range b.Demand.Rates {
		slices += b.Effort.Repeats
		estimate += time.Duration(b.Effort.Repeats) * b.Effort.heldFor(rate)
	}
	n := len(b.compared(0))
	b.Watcher.Planned(slices*n, estimate*time.Duration(n))
	for repeat := range b.Effort.Repeats {
		for _, rate := range b.Demand.Rates {
			b.turnRate(ctx, holding{sweep: record.SweepRate, rate: rate, duration: b.Effort.heldFor(rate), drain: rateDrain, repeat: repeat, draw: repeat})
		}
	}
}

// heldFor is how long a rate is held in one repeat: as long as a slice, at least
// long enough that all repeats together certify the percentile.
func (e Effort) heldFor(rate float64) time.Duration {
	requests := (stat.MinSamples(e.Percentile) + e.Repeats - 1) / e.Repeats
	return max(e.Slice, time.Second, seconds(float64(requests)/rate))
}

func (b *bench) turnRate(ctx context.Context, h holding) {
	for _, s := range b.compared(h.repeat) {
		if ctx.Err() != nil || s.refused[h.point()] {
			continue
		}
		cell, said, err := b.hold(ctx, s, h, b.Data)
		if err != nil {
			b.lose(ctx, s, err)
			continue
		}
		b.judgeOpen(s, cell, h.point(), said)
		b.keep(cell)
	}
}

// point is what doubts and refusals are remembered by.
func (h holding) point() Point { return Point{Sweep: h.sweep, Rate: h.rate} }

// judgeOpen decides whether an open-loop slice may be believed.
func (b *bench) judgeOpen(s *stack, cell *record.Cell, p Point, said *complaints) {
	switch n, failed := len(cell.Requests.Outcome), failures(cell); {
	case n == 0:
		cell.Invalid = "The schedule held no request. Hold the rate for longer."
	case failed == n:
		s.refused[p] = true
		cell.Invalid = "No request succeeded: " + said.String() + "."
	case float64(failed) > mostErrors*float64(n):
		cell.Invalid = fmt.Sprintf("%d of %s failed: %s. Lower the rate, or mend the service.", failed, english.Plural(n, "request", ""), said)
	default:
		if cell.Invalid = drift(cell); cell.Invalid == "" {
			cell.Invalid = doubtOpen(cell)
		}
	}
	b.machine.add(cell)
	if cell.Invalid != "" {
		b.doubtOnce(s, p, cell.Invalid)
	}
}

// keep writes a cell to disk and shows it.
func (b *bench) keep(cell *record.Cell) {
	if err := b.spool.add(cell); err != nil {
		b.stop(fmt.Errorf("write the records: %w", err))
		return
	}
	b.Watcher.Measured(cell)
}
