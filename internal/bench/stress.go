package bench

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/load"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
	"github.com/paceline/paceline/internal/bench/shape"
)

// StressConfig is a long load on one service that runs already.
type StressConfig struct {
	Dialect   string
	URL       string
	Model     string   // the name that its API asks for; "" asks the service
	Texts     []string // loaded before the clock starts
	BatchSize int
	Clients   int            // of a closed loop
	Arrivals  *load.Arrivals // of an open loop; nil: a closed loop
	Rate      float64        // requests a second of an open loop; 0: the trace's own
	Mix       shape.Mix      // shapes of the requests, instead of BatchSize
	Seed      uint64
	Duration  time.Duration
	Records   string // file that takes the raw records
	Watcher   StressWatcher
	Resources sample.Source // tells what the service takes; nil: its process, if that is on this machine

	sleep func(context.Context, time.Duration) // nil: the precise one
}

// StressWatcher is told how a load goes on, from one goroutine.
type StressWatcher interface {
	Second(s Snapshot) // every second
	Window(s Snapshot) // every window of the trend test
}

// Snapshot is where a load stands.
type Snapshot struct {
	Elapsed   time.Duration
	Requests  int
	Failures  int
	Late      int
	PerSecond float64 // successful requests a second since the last snapshot of its kind
	P50, P99  float64 // seconds, since the start; NaN while too few successes stand behind them
}

// warmupTime bounds the requests that come before the clock starts.
const warmupTime = 5 * time.Second

// Stress loads a service for a time and reports. A service that does not answer is
// an error at once. When ctx ends the result is of what was measured until then
// and says so.
func Stress(ctx context.Context, c StressConfig) (*StressResult, error) {
	gpus, noGPU := sample.OpenGPUs()
	if noGPU == nil {
		defer gpus.Close()
	}
	s := &stack{gpus: gpus, Stack: Stack{Name: c.URL, Dialect: c.Dialect, URL: c.URL, Model: c.Model, Resources: c.Resources}}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	defer s.stop()
	if _, err := s.driver.Embed(ctx, c.Texts[:1]); err != nil {
		return nil, fmt.Errorf("%s does not embed through %s: %w", c.URL, s.driver.Door(), err)
	}
	loop, requests, err := c.loader()
	if err != nil {
		return nil, err
	}
	batches, err := c.batches(s.driver, requests)
	if err != nil {
		return nil, err
	}
	said := &complaints{first: map[driver.Outcome]string{}}
	do := said.listen(s.driver, batches)
	load.Closed{Clients: c.Clients, Requests: 2 * c.Clients, Duration: warmupTime}.Run(ctx, do, func(load.Sample) {})
	r, err := c.run(ctx, loop, s.source, &said.times, do, func(seq int) int { return batches[seq%len(batches)].Texts })
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(said.first, func(kind driver.Outcome, _ string) bool { return r.Errors[kind] == 0 }) // of the warm-up
	r.Door, r.ErrorMessages = s.driver.Door(), said.first
	if r.GPU == nil {
		r.GPUAbsent = cmp.Or(noGPU, errNoGPUSource).Error()
	}
	return r, nil
}

// batches are encoded before the clock starts: as many as the data set or the shapes
// of the schedule's requests ask for, within bounds.
func (c StressConfig) batches(d driver.Driver, requests int) ([]batch, error) {
	t := Texts{Texts: c.Texts}
	if c.Mix.Given() || c.Arrivals != nil && c.Arrivals.Trace() != nil {
		return t.shaped(d, shapes(c.Arrivals, c.Mix, c.BatchSize, max(requests, mostBatches), c.Seed))
	}
	return t.batches(d, c.BatchSize, max(c.Clients, (len(c.Texts)+c.BatchSize-1)/c.BatchSize))
}

// loader is a closed or an open loop.
type loader interface {
	Run(ctx context.Context, do load.Do, sink load.Sink) load.Run
}

// loader is the loop with its schedule made, and the requests of it; 0: as many as
// the clients find time for.
func (c StressConfig) loader() (loader, int, error) {
	if c.Arrivals == nil {
		return load.Closed{Clients: c.Clients, Duration: c.Duration}, 0, nil
	}
	schedule, err := c.Arrivals.Schedule(c.Rate, c.Duration, c.Seed)
	return load.Open{Schedule: schedule, Sleep: c.sleep}, len(schedule), err
}

// run loads until the duration or ctx ends, with the records going to disk.
func (c StressConfig) run(ctx context.Context, loop loader, source sample.Source, times *breakdown, do load.Do, texts func(seq int) int) (*StressResult, error) {
	spool, err := newRecordFile(c.Records)
	if err != nil {
		return nil, err
	}
	defer spool.discard()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	t := newTally(texts)
	k := &keeper{StressConfig: c, tally: t, spool: spool, source: source, times: times, stop: stop}
	k.begin()
	done := make(chan struct{})
	kept := make(chan struct{})
	go func() { defer close(kept); k.keep(done) }()
	run := loop.Run(ctx, do, func(x load.Sample) {
		t.add(x)
		times.end(x)
	})
	close(done)
	<-kept
	if k.err != nil {
		return nil, k.err
	}
	if err := spool.close(); err != nil {
		return nil, err
	}
	elapsed := run.Elapsed
	if c.Arrivals != nil && ctx.Err() == nil {
		elapsed = max(elapsed, c.Duration) // a schedule that was followed ends after its last pause, not with its last reply
	}
	r := t.result(elapsed)
	r.Interrupted = ctx.Err() != nil
	r.Started, r.Finished = run.Started, run.Started.Add(run.Elapsed)
	r.addUsage(k, elapsed)
	r.Warnings = r.doubts(c, k.windows, k.latency)
	return r, nil
}

// keeper writes the records to disk window by window and tells the watcher.
type keeper struct {
	StressConfig
	tally   *tally
	spool   *recordFile
	source  sample.Source
	times   *breakdown
	stop    context.CancelCauseFunc
	started time.Time
	watch   *sample.Watch
	cut     time.Time // when the window under way began
	windows []float64 // requests a second in each
	latency []float64 // the median in each, microseconds
	usage   stressUsage
	err     error
}

// window is how long one lasts: a sixtieth of the load, from a second to ten.
func (c StressConfig) window() time.Duration {
	return min(max(c.Duration/60, time.Second), 10*time.Second)
}

func (k *keeper) begin() {
	k.started = time.Now()
	k.cut = k.started
	k.watch = sample.Start(k.source)
}

func (k *keeper) keep(done <-chan struct{}) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	window := time.NewTicker(k.window())
	defer window.Stop()
	for {
		select {
		case <-second.C:
			k.Watcher.Second(k.tally.snapshot(&k.tally.second, time.Since(k.started)))
		case <-window.C:
			k.turn(true)
		case <-done:
			k.turn(false)
			return
		}
	}
}

// turn ends a window: its requests and samples become one cell on disk. The last
// one is shorter than the others and left out of the trend.
func (k *keeper) turn(whole bool) {
	now := time.Now()
	cell := record.Cell{
		Stack: k.URL, Sweep: record.SweepStress, BatchSize: k.Mix.MeanBatch(k.BatchSize), Mix: k.Mix.String(),
		Repeat: len(k.windows), Started: k.cut, Seconds: now.Sub(k.cut).Seconds(),
	}
	if k.Arrivals == nil {
		cell.Concurrency = k.Clients
	} else {
		cell.Rate, cell.Arrivals = k.Arrivals.RateOr(k.Rate), k.Arrivals.String()
	}
	cell.Requests, cell.Late = k.tally.cut(k.cut.Sub(k.started))
	if whole {
		k.watch, cell.Samples, cell.PeakBytes = k.watch.Next(k.cut)
	} else {
		cell.Samples, cell.PeakBytes = k.watch.Stop(k.cut)
	}
	cell.Breakdown = k.times.cut()
	k.usage.add(&cell)
	if err := k.spool.add(&cell); err != nil && k.err == nil {
		k.err = fmt.Errorf("write the records: %w", err)
		k.stop(k.err)
	}
	if whole {
		snapshot := k.tally.snapshot(&k.tally.window, time.Since(k.started))
		k.windows = append(k.windows, snapshot.PerSecond)
		k.latency = append(k.latency, latencies(&cell, 1)...)
		k.Watcher.Window(snapshot)
	}
	k.cut = now
}
