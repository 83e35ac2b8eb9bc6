package load

import (
	"context"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
)

// Open sends each request at its time in the schedule, however many are under
// way: users do not wait for each other.
type Open struct {
	// Arrivals are the intended times from the start of the run, ascending. They
	// follow from a seed alone, never from what the service does.
	Arrivals iter.Seq[time.Duration]
}

// Run follows the schedule to its end or that of ctx, and waits for the replies.
func (o Open) Run(ctx context.Context, do Do, sink Sink) Run {
	start := time.Now()
	var (
		mu       sync.Mutex
		last     time.Duration
		requests sync.WaitGroup
		seq      int
	)
	for intended := range o.Arrivals {
		if wait := intended - time.Since(start); wait > 0 {
			rest(ctx, wait)
		}
		if ctx.Err() != nil {
			break
		}
		request := seq
		requests.Go(func() {
			sent := time.Since(start)
			outcome := do(ctx, request)
			finished := time.Since(start)
			if outcome == driver.Canceled {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			last = max(last, finished)
			sink(Sample{request, intended, sent, finished, outcome})
		})
		seq++
	}
	requests.Wait()
	return Run{Started: start, Elapsed: last}
}

// Constant arrivals come at equal distances, rate a second, for duration.
func Constant(rate float64, duration time.Duration) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		for i := 0; ; i++ {
			at := seconds(float64(i) / rate)
			if at >= duration || !yield(at) {
				return
			}
		}
	}
}

// Poisson arrivals come independently of each other, rate a second in the mean,
// for duration: exponential distances drawn from the seed.
func Poisson(rate float64, duration time.Duration, seed uint64) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		source := rand.New(rand.NewPCG(seed, 0))
		for at := 0.0; ; {
			at += source.ExpFloat64() / rate
			if seconds(at) >= duration || !yield(seconds(at)) {
				return
			}
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
