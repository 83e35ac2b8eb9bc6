package bench

import (
	"slices"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/stat"
)

// The phases of a request, in the order of their coming.
const (
	inClientQueue = iota
	inNetwork
	inQueue
	inTokenize
	inInference
	inSerialize
	inOther
	allPhases
)

// breakdown gathers where successful requests spent their time, from what the
// client saw of each (load) and what the service told (driver). Its methods may be
// called concurrently; the zero value is ready.
type breakdown struct {
	mu     sync.Mutex
	told   map[int]driver.Times // of requests whose end has not been seen yet, by number
	source string
	phases [allPhases][]float64 // seconds
}

// note keeps what the service told with its reply to a request.
func (b *breakdown) note(seq int, t driver.Times) {
	if t.Source == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.told == nil {
		b.told = map[int]driver.Times{}
	}
	b.told[seq] = t
}

// end adds a request that is over.
func (b *breakdown) end(x load.Sample) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, told := b.told[x.Seq]
	if !told {
		return
	}
	delete(b.told, x.Seq)
	b.source = t.Source
	for phase, seconds := range split(x, t) {
		if seconds >= 0 {
			b.phases[phase] = append(b.phases[phase], seconds)
		}
	}
}

// split gives each phase its seconds, below 0 where it is not told. They add up to
// the time from the intended to the finished instant: phases that are more together
// than the client waited, since they lay beside each other or were rounded, are cut
// in proportion.
func split(x load.Sample, t driver.Times) (phases [allPhases]float64) {
	waited := (x.Finished - x.Sent).Seconds()
	phases[inClientQueue] = (x.Sent - x.Intended).Seconds()
	sum := 0.0
	for phase, d := range map[int]time.Duration{inQueue: t.Queue, inTokenize: t.Tokenize, inInference: t.Inference, inSerialize: t.Serialize} {
		phases[phase] = d.Seconds()
		sum += max(0, d.Seconds())
	}
	if sum > waited {
		for phase := inQueue; phase <= inSerialize; phase++ {
			phases[phase] *= waited / sum
		}
		sum = waited
	}
	phases[inOther] = -1
	if t.Total >= 0 {
		total := min(max(t.Total.Seconds(), sum), waited)
		phases[inOther] = total - sum
		sum = total
	}
	phases[inNetwork] = waited - sum
	return phases
}

// cut hands over what was gathered since the last cut; nil: the service told
// nothing.
func (b *breakdown) cut() *record.Breakdown {
	b.mu.Lock()
	defer b.mu.Unlock()
	phases := b.phases
	b.phases = [allPhases][]float64{}
	if len(phases[inNetwork]) == 0 {
		return nil
	}
	return &record.Breakdown{
		Source: b.source, Requests: len(phases[inNetwork]),
		ClientQueue: phaseOf(phases[inClientQueue]), Network: phaseOf(phases[inNetwork]), Queue: phaseOf(phases[inQueue]),
		Tokenize: phaseOf(phases[inTokenize]), Inference: phaseOf(phases[inInference]), Serialize: phaseOf(phases[inSerialize]),
		Other: phaseOf(phases[inOther]),
	}
}

// addBreakdown adds a window's sums to those before it; nil stands for none.
func addBreakdown(sum, window *record.Breakdown) *record.Breakdown {
	if window == nil {
		return sum
	}
	if sum == nil {
		sum = &record.Breakdown{}
	}
	sum.Source = window.Source
	sum.Requests += window.Requests
	for _, phase := range []struct {
		to   **record.Phase
		from *record.Phase
	}{
		{&sum.ClientQueue, window.ClientQueue}, {&sum.Network, window.Network}, {&sum.Queue, window.Queue}, {&sum.Tokenize, window.Tokenize},
		{&sum.Inference, window.Inference}, {&sum.Serialize, window.Serialize}, {&sum.Other, window.Other},
	} {
		if phase.from == nil {
			continue
		}
		if *phase.to == nil {
			*phase.to = &record.Phase{}
		}
		(*phase.to).Sum += phase.from.Sum
	}
	return sum
}

// phaseOf sums a phase up; nil without a request that was told of. A percentile
// needs as many requests behind it as everywhere.
func phaseOf(seconds []float64) *record.Phase {
	if len(seconds) == 0 {
		return nil
	}
	slices.Sort(seconds)
	p := &record.Phase{}
	for _, s := range seconds {
		p.Sum += s
	}
	for q, to := range map[float64]**float64{0.50: &p.P50, 0.95: &p.P95, 0.99: &p.P99} {
		if len(seconds) >= stat.MinSamples(q) {
			*to = pointer(stat.Percentile(seconds, q))
		}
	}
	return p
}
