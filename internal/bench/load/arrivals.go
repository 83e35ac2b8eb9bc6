package load

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Arrivals is how the requests of an open loop come.
type Arrivals struct {
	kind  string
	burst float64 // mean requests of a burst
	trace *Trace
}

// The kinds of arrivals by the names that flags use.
const (
	constant = "constant"
	poisson  = "poisson"
	bursts   = "bursts"
	recorded = "trace"
)

// meanBurst is the mean size of a burst unless one is asked for.
const meanBurst = 8

// The processes without parameters.
var (
	ConstantArrivals = Arrivals{kind: constant}
	PoissonArrivals  = Arrivals{kind: poisson}
)

// ParseArrivals reads constant, poisson, bursts, bursts:N (N requests a burst in
// the mean) or trace:FILE, whose file it reads.
func ParseArrivals(text string) (Arrivals, error) {
	kind, argument, given := strings.Cut(text, ":")
	switch {
	case kind == constant && !given:
		return ConstantArrivals, nil
	case kind == poisson && !given:
		return PoissonArrivals, nil
	case kind == bursts && !given:
		return Arrivals{kind: bursts, burst: meanBurst}, nil
	case kind == bursts:
		size, err := strconv.ParseFloat(argument, 64)
		if err != nil || !(size >= 1 && size <= 1e6) {
			return Arrivals{}, fmt.Errorf("arrivals %q: a burst has from 1 to 1000000 requests in the mean", text)
		}
		return Arrivals{kind: bursts, burst: size}, nil
	case kind == recorded && argument != "":
		trace, err := ReadTrace(argument)
		return Arrivals{kind: recorded, trace: trace}, err
	}
	return Arrivals{}, fmt.Errorf("arrivals %q: constant, poisson, bursts, bursts:N or trace:FILE", text)
}

// String is what [ParseArrivals] reads.
func (a Arrivals) String() string {
	switch a.kind {
	case bursts:
		return fmt.Sprintf("%s:%g", bursts, a.burst)
	case recorded:
		return recorded + ":" + a.trace.Name
	}
	return a.kind
}

// Trace is the recorded one, nil for the other kinds.
func (a Arrivals) Trace() *Trace { return a.trace }

// RateOr is the given rate, or the trace's own where none is given.
func (a Arrivals) RateOr(rate float64) float64 {
	if rate == 0 && a.trace != nil {
		return a.trace.Rate()
	}
	return rate
}

// MostRequests bounds a schedule, which is kept in memory: 8 bytes a request.
const MostRequests = 1 << 25

// Schedule draws the intended times of a run: rate requests a second in the mean
// for a duration, ascending. One seed gives one schedule. A trace of another rate
// is stretched to this one, or keeps its own where rate is 0. More than
// [MostRequests] are an error.
func (a Arrivals) Schedule(rate float64, duration time.Duration, seed uint64) ([]time.Duration, error) {
	rate = a.RateOr(rate)
	if !(rate > 0) || math.IsInf(rate, 0) {
		return nil, fmt.Errorf("%s arrivals at %g requests/s: want a rate above 0", a, rate)
	}
	if expected := rate * duration.Seconds(); expected > MostRequests {
		return nil, fmt.Errorf("%g requests/s for %v are %.0f requests, at most %d are scheduled: lower the rate or the duration", rate, duration, expected, MostRequests)
	}
	next := a.process(rate, rand.New(rand.NewPCG(seed, 0)))
	var times []time.Duration
	for at := next(); at < duration && len(times) < 2*MostRequests; at = next() {
		times = append(times, at)
	}
	return times, nil
}

// process gives one arrival after the other.
func (a Arrivals) process(rate float64, source *rand.Rand) func() time.Duration {
	switch a.kind {
	case bursts:
		return burstProcess(rate, a.burst, source)
	case recorded:
		return a.trace.replay(rate)
	case poisson:
		return poissonProcess(rate, source)
	}
	i := -1
	return func() time.Duration {
		i++
		return seconds(float64(i) / rate)
	}
}

// poissonProcess: requests come independently of each other, at exponential
// distances.
func poissonProcess(rate float64, source *rand.Rand) func() time.Duration {
	at := 0.0
	return func() time.Duration {
		at += source.ExpFloat64() / rate
		return seconds(at)
	}
}

// burstProcess: bursts come as Poisson arrivals do, the requests of one at once;
// their number is geometric (a compound Poisson process), so that most are small
// and some are large.
func burstProcess(rate, mean float64, source *rand.Rand) func() time.Duration {
	next := poissonProcess(rate/mean, source)
	var at time.Duration
	left := 0
	return func() time.Duration {
		if left == 0 {
			at, left = next(), geometric(mean, source)
		}
		left--
		return at
	}
}

// geometric draws how many trials of probability 1/mean the first success takes.
func geometric(mean float64, source *rand.Rand) int {
	if mean == 1 {
		return 1
	}
	return 1 + int(source.ExpFloat64()/-math.Log1p(-1/mean))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
