package bench

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
)

const ms = time.Millisecond

// told is a service that tells all phases.
func told(total, queue, tokenize, inference, serialize time.Duration) driver.Times {
	return driver.Times{Source: driver.TimesServer, Total: total, Queue: queue, Tokenize: tokenize, Inference: inference, Serialize: serialize}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	x := load.Sample{Intended: 10 * ms, Sent: 15 * ms, Finished: 115 * ms} // 5 ms late, 100 ms with the service
	for name, c := range map[string]struct {
		times driver.Times
		want  [allPhases]float64 // milliseconds, in the order of the phases
	}{
		"all":          {told(90*ms, 20*ms, 2*ms, 60*ms, 3*ms), [...]float64{5, 10, 20, 2, 60, 3, 5}},
		"no total":     {told(driver.Untold, 20*ms, 2*ms, 60*ms, 3*ms), [...]float64{5, 15, 20, 2, 60, 3, -1}},
		"total alone":  {told(70*ms, driver.Untold, driver.Untold, driver.Untold, driver.Untold), [...]float64{5, 30, -1, -1, -1, -1, 70}},
		"rounded down": {told(84*ms, 20*ms, 2*ms, 60*ms, 3*ms), [...]float64{5, 15, 20, 2, 60, 3, 0}},
		"overlapping":  {told(100*ms, 40*ms, 0, 160*ms, 0), [...]float64{5, 0, 20, 0, 80, 0, 0}},
		"too long":     {told(300*ms, 20*ms, 0, 60*ms, 0), [...]float64{5, 0, 20, 0, 60, 0, 20}},
	} {
		got := split(x, c.times)
		for phase, want := range c.want {
			if want < 0 && got[phase] < 0 {
				continue
			}
			if math.Abs(1000*got[phase]-want) > 1e-6 {
				t.Errorf("%s: phase %d is %v ms, want %v", name, phase, 1000*got[phase], want)
			}
		}
	}
}

// TestBreakdownAddsUp: whatever a service tells, the phases are none below 0 and
// together what the requests took from their intended times.
func TestBreakdownAddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		duration := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "duration"))
		})
		phase := rapid.OneOf(rapid.Just(driver.Untold), duration)
		var b breakdown
		latency, n := 0.0, rapid.IntRange(1, 20).Draw(t, "requests")
		for seq := range n {
			x := load.Sample{Seq: seq, Outcome: driver.OK}
			x.Intended = duration.Draw(t, "intended")
			x.Sent = x.Intended + duration.Draw(t, "late")
			x.Finished = x.Sent + duration.Draw(t, "service")
			b.note(seq, told(phase.Draw(t, "total"), phase.Draw(t, "queue"), phase.Draw(t, "tokenize"), phase.Draw(t, "inference"), phase.Draw(t, "serialize")))
			b.end(x)
			latency += x.Latency().Seconds()
		}
		r := b.cut()
		sum := 0.0
		for _, p := range []*record.Phase{r.ClientQueue, r.Network, r.Queue, r.Tokenize, r.Inference, r.Serialize, r.Other} {
			if p == nil {
				continue
			}
			if p.Sum < -1e-12 {
				t.Fatalf("a phase of %v s", p.Sum)
			}
			sum += p.Sum
		}
		if r.Requests != n || math.Abs(sum-latency) > 1e-9*(1+latency) {
			t.Fatalf("%d requests with %v s in their phases, want %d with %v", r.Requests, sum, n, latency)
		}
	})
}

// TestBreakdownOfThoseThatTell leaves out the requests of which nothing was told.
func TestBreakdownOfThoseThatTell(t *testing.T) {
	t.Parallel()
	var b breakdown
	if b.cut() != nil {
		t.Fatal("a breakdown of nothing")
	}
	for seq := range 200 {
		if seq%2 == 0 {
			b.note(seq, told(10*ms, ms, ms, 7*ms, ms))
		} else {
			b.note(seq, driver.Times{})
		}
		b.end(load.Sample{Seq: seq, Finished: 12 * ms})
	}
	r := b.cut()
	if r == nil || r.Requests != 100 || r.Source != driver.TimesServer || math.Abs(r.Inference.Sum-0.7) > 1e-9 {
		t.Fatalf("%+v", r)
	}
	if p := r.Inference; p.P50 == nil || *p.P50 != 0.007 || p.P95 != nil || p.P99 != nil {
		t.Errorf("percentiles %v %v %v of 100 requests: 11 certify p50, 130 would p95", p.P50, p.P95, p.P99)
	}
	if twice := addBreakdown(addBreakdown(addBreakdown(nil, r), nil), r); twice.Requests != 200 || math.Abs(twice.Inference.Sum-1.4) > 1e-9 || twice.Other == nil {
		t.Errorf("the same twice: %+v", twice)
	}
	if b.cut() != nil || len(b.told) != 0 {
		t.Error("what was handed over is still there")
	}
}
