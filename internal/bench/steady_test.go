package bench

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
)

// drifting is a service whose requests take 10 ms in the mean with the noise of a real
// one, gamma of shape 4 (half of the mean as standard deviation), times 1 + drift by
// the end of the slice.
func drifting(seed uint64, drift float64, end time.Duration) load.Do {
	source := rand.New(rand.NewPCG(seed, 0))
	started := time.Now()
	turn := make(chan struct{}, 1)
	return func(_ context.Context, _ int) driver.Outcome {
		turn <- struct{}{}
		took := 0.0
		for range 4 {
			took += source.ExpFloat64() * 2.5
		}
		took *= 1 + drift*math.Min(1, float64(time.Since(started))/float64(end))
		time.Sleep(time.Duration(took * float64(time.Millisecond)))
		<-turn
		return driver.OK
	}
}

// TestSteadyState: of 200 slices each of a service that is noisy but stationary, and of
// one that slows down, how many are rejected. Docs quote these rates.
func TestSteadyState(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		loop        func(seed uint64) loader
		drift       float64
		least, most int // rejected of 200
	}{
		{"stationary, closed", closedLoop, 0, 0, 14},
		{"stationary, open", openLoop, 0, 0, 14},
		{"a third slower, closed", closedLoop, 0.33, 190, 200},
		{"twice as slow, open", openLoop, 1, 175, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rejected := 0
			for seed := range uint64(200) {
				synctest.Test(t, func(t *testing.T) {
					var cell record.Cell
					run := c.loop(seed).Run(t.Context(), drifting(seed, c.drift, 8*time.Second), func(s load.Sample) {
						cell.Requests.Add(s.Intended, s.Sent, s.Finished, 1, 0, string(s.Outcome))
					})
					cell.Seconds = run.Elapsed.Seconds()
					if drift(&cell) != "" {
						rejected++
					}
				})
			}
			t.Logf("%d of 200 rejected", rejected)
			if rejected < c.least || rejected > c.most {
				t.Errorf("%d of 200 rejected, want %d to %d", rejected, c.least, c.most)
			}
		})
	}
}

func closedLoop(uint64) loader { return load.Closed{Clients: 4, Duration: 8 * time.Second} }

// openLoop is half of what the service can do.
func openLoop(seed uint64) loader {
	schedule, err := load.PoissonArrivals.Schedule(50, 8*time.Second, seed)
	if err != nil {
		panic(err)
	}
	return load.Open{Schedule: schedule, Sleep: load.Rest}
}
