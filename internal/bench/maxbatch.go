package bench

import (
	"context"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/record"
)

// batchBound is how long a batch may take and still count as completed.
const batchBound = 10 * time.Second

// What ended a search for the largest batch.
const (
	limitCeiling = "ceiling of the search"
	limitSlow    = "too slow"
	limitTime    = "time budget of the run"
)

// searchMaxBatch finds, for each stack, the largest batch that it accepts and
// completes within the bound.
func (b *bench) searchMaxBatch(ctx context.Context) {
	for _, s := range b.compared(0) {
		if s.largest == 0 || ctx.Err() != nil && !over(ctx) {
			continue
		}
		b.Watcher.Stage("largest batch of " + s.Name)
		found, err := b.search(ctx, s)
		if ctx.Err() != nil && !over(ctx) {
			return
		}
		s.record.MaxBatch = found
		if err != nil {
			b.lose(ctx, s, err)
		}
	}
}

// search doubles the batch from the largest that was completed so far until one
// fails, then halves the gap. A refused batch costs the service nothing, so the
// exact limit is found; between completed and too slow one step of doubling is
// exact enough.
func (b *bench) search(ctx context.Context, s *stack) (record.MaxBatch, error) {
	found := record.MaxBatch{Size: s.largest, Seconds: s.took, Limit: limitCeiling}
	refused := 0 // the least size that was turned down
	for size := min(2*s.largest, b.Effort.MaxBatch); size > found.Size; size = next(found.Size, refused, b.Effort.MaxBatch) {
		if b.Effort.Budget > 0 && s.speed.perText*float64(size) > b.left(1) {
			found.Limit = limitTime
			return found, nil
		}
		took, err := b.tryBatch(ctx, s, size)
		switch {
		case ctx.Err() != nil:
			found.Limit = limitTime
			return found, nil
		case refusedBy(err):
			refused, found.Limit = size, "refused: "+err.Error()
			continue
		case err != nil:
			found.Limit = err.Error()
			return found, s.crashedSince(ctx)
		case took > batchBound.Seconds():
			found.Limit = limitSlow
			return found, nil
		case took > b.patience().Seconds():
			found.Limit = limitTime
			return found, nil
		}
		found.Size, found.Seconds = size, took
	}
	return found, nil
}

// next is the size to try after one was completed or turned down.
func next(completed, refused, ceiling int) int {
	if refused == 0 {
		return min(2*completed, ceiling)
	}
	return (completed + refused) / 2
}

func (b *bench) tryBatch(ctx context.Context, s *stack, size int) (seconds float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, min(batchBound, b.patience())+time.Second)
	defer cancel()
	batches, err := b.Data.batches(s.driver, size, 1)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	reply := s.driver.Send(ctx, batches[0].Request)
	seconds = time.Since(start).Seconds()
	switch reply.Outcome {
	case driver.OK:
		return seconds, nil
	case driver.Timeout:
		return seconds, nil // longer than the bound: too slow
	}
	return seconds, &driver.Failure{Reply: reply}
}
