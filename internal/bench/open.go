package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/goodput"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
	"github.com/paceline/paceline/internal/bench/shape"
)

// Demand is what users ask for, whatever the stacks do: requests that come on a
// schedule. It is measured beside the sweeps, for as long as it takes.
type Demand struct {
	Arrivals  load.Arrivals
	Rates     []float64    // requests a second, each held for every stack
	BatchSize int          // texts a request
	Mix       shape.Mix    // shapes of the requests, instead of BatchSize
	SLO       *goodput.SLO // the objective of a search for the highest rate; nil: none
	Scenarios []Scenario
}

// holding is one rate held for one stack.
type holding struct {
	sweep    record.Sweep
	rate     float64
	duration time.Duration
	drain    time.Duration // that replies are waited for after the last sending
	repeat   int
	draw     int // of the schedule: another number, another draw
	scenario string
	enough   func(load.Sample) bool // nothing more can be learned: the rest is not sent; nil: never
}

// shape in words, for the record.
func (d Demand) shape() string {
	if d.Mix.Given() {
		return d.Mix.String()
	}
	if trace := d.Arrivals.Trace(); trace != nil && (trace.Requests[0].Texts > 0 || trace.Requests[0].Chars > 0) {
		return "as recorded"
	}
	return fmt.Sprintf("batch=%d", d.BatchSize)
}

// openCell is the cell of a holding before it is measured.
func (b *bench) openCell(s *stack, h holding) *record.Cell {
	return &record.Cell{
		Stack: s.Name, Sweep: h.sweep, BatchSize: b.Demand.Mix.MeanBatch(b.Demand.BatchSize), Rate: h.rate, Repeat: h.repeat,
		Arrivals: b.Demand.Arrivals.String(), Mix: b.Demand.Mix.String(), Scenario: h.scenario,
	}
}

// hold loads a stack on a schedule. Every stack gets the same schedule and the same
// requests at one rate and draw. A request that has no
// reply when the drain is over counts as timed out. The error means that the stack is
// lost, or the run over.
func (b *bench) hold(ctx context.Context, s *stack, h holding, texts Texts) (*record.Cell, *complaints, error) {
	seed := b.Manifest.Seed + uint64(h.draw)
	schedule, err := b.Demand.Arrivals.Schedule(h.rate, h.duration, seed)
	if err != nil {
		return nil, nil, err
	}
	batches, err := texts.shaped(s.driver, shapes(&b.Demand.Arrivals, b.Demand.Mix, b.Demand.BatchSize, len(schedule), seed))
	if err != nil {
		return nil, nil, err
	}
	cell, said := b.openCell(s, h), newComplaints()
	cell.WarmupSeconds = b.warmOpen(ctx, s, upTo(schedule, warmed(h.duration)), batches, h.drain)
	b.timedOpen(ctx, s, cell, h, schedule, batches, said)
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	return cell, said, s.crashedIn(ctx, cell)
}

// warmed is how long the schedule is followed before the clock starts: a tenth, at
// least half a second, so that connections are made and the service is awake.
func warmed(d time.Duration) time.Duration {
	return max(d/10, 500*time.Millisecond)
}

// warmOpen follows the schedule's beginning and throws it away.
func (b *bench) warmOpen(ctx context.Context, s *stack, schedule []time.Duration, batches []batch, drain time.Duration) (seconds float64) {
	ctx, end := s.whileUp(ctx, lastOf(schedule)+drain)
	defer end()
	started := time.Now()
	load.Open{Schedule: schedule, Sleep: b.sleep}.Run(ctx, newComplaints().listen(s.driver, batches), func(load.Sample) {})
	return time.Since(started).Seconds()
}

func lastOf(schedule []time.Duration) time.Duration {
	if len(schedule) == 0 {
		return 0
	}
	return schedule[len(schedule)-1]
}

func upTo(schedule []time.Duration, end time.Duration) []time.Duration {
	for i, at := range schedule {
		if at >= end {
			return schedule[:i]
		}
	}
	return schedule
}

// timedOpen follows the schedule with the clock running.
func (b *bench) timedOpen(ctx context.Context, s *stack, cell *record.Cell, h holding, schedule []time.Duration, batches []batch, said *complaints) {
	limit := lastOf(schedule) + h.drain
	bounded, end := s.whileUp(ctx, limit)
	defer end()
	answered, ended := make([]bool, len(schedule)), false
	watch := sample.Start(s.source)
	run := load.Open{Schedule: schedule, Sleep: b.sleep}.Run(bounded, said.listen(s.driver, batches), func(x load.Sample) {
		answered[x.Seq] = true
		if x.Late() {
			cell.Late++
		}
		batch := batches[x.Seq%len(batches)]
		cell.Requests.Add(x.Intended, x.Sent, x.Finished, batch.Texts, batch.tokens, string(x.Outcome))
		said.times.end(x)
		if h.enough != nil && !ended && h.enough(x) {
			ended = true
			end()
		}
	})
	cell.Started, cell.Seconds = run.Started, run.Elapsed.Seconds()
	cell.Samples, cell.PeakBytes = watch.Stop(run.Started)
	cell.Breakdown = said.times.cut()
	if ended || ctx.Err() != nil {
		return
	}
	for seq, done := range answered {
		if !done {
			batch := batches[seq%len(batches)]
			cell.Requests.Add(schedule[seq], schedule[seq], limit, batch.Texts, batch.tokens, string(driver.Timeout))
			cell.Seconds = limit.Seconds()
		}
	}
}

// doubtOpen says why an open-loop slice must not be believed; empty: it may be.
func doubtOpen(cell *record.Cell) string {
	if n := len(cell.Requests.Outcome); float64(cell.Late) > mostLate*float64(n) {
		return fmt.Sprintf("Sent more than %v after their time: %d of %s. Lower the rate, or run the client on another machine.", load.LateAfter, cell.Late, english.Plural(n, "request", ""))
	}
	return busyClient(cell, runtime.GOMAXPROCS(0))
}
