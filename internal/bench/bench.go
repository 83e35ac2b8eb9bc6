// Package bench compares services that embed text: it brings them up, checks
// that they compute the same vectors, loads them in turns and writes down what
// happened. docs/measurement.md has the rules and their reasons.
//
// It knows a service by its address and its wire, and imports no engine, no
// queue and no server of this project: the reference vectors, the token counts
// and the commands that start servers are given to it. It computes no statistics
// of the results (report does, from the records alone), except where a plan or a
// doubt about validity needs one. Invariants: every stack does the same work at
// a point of a sweep, that is the same texts in the same requests; the stacks
// take turns; what is measured is on disk when the next slice begins; no server
// that was started is left when Run returns.
package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/driver"
	"github.com/paceline/paceline/internal/bench/quality"
	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
	"github.com/paceline/paceline/internal/process"
)

// Config is all that a run depends on.
type Config struct {
	Stacks   []Stack
	Data     Texts         // what is embedded
	ByLength map[int]Texts // texts of each length of the memory sweep, by characters
	Probes   Probes
	Points   []Point       // what the stacks are loaded with, the memory sweep excepted
	Demand   Demand        // what they are loaded with on a schedule, beside the points
	Exam     *quality.Exam // asks what the stacks' vectors are worth; nil: nobody does
	Effort   Effort
	Manifest record.Manifest // all but the times and what the plan adds to Config
	SpoolDir string          // takes the records while the run goes on
	Watcher  Watcher
}

// Stack is a service to be measured: one that runs already (URL) or one that
// this run starts and ends (Launch).
type Stack struct {
	Name    string
	Dialect string
	Policy  string // in words, for the report
	Model   string // the name that its API asks for
	URL     string
	Launch  *process.Spec
	Unable  error  // why it cannot be started: it is reported, not measured
	Note    string // what a reader must know of the door it was driven through

	// Resources tells what a service that runs already takes; nil: its process, if
	// that is on this machine.
	Resources sample.Source
	Info      map[string]string
}

// Texts are texts with the tokens that each becomes, specials included; Tokens
// is empty where they are not known.
type Texts struct {
	Texts  []string
	Tokens []int32
}

// Probes are the texts of the agreement check with their reference vectors.
type Probes struct {
	Texts     []string
	Reference [][]float32
	MinCosine float64 // that a vector of the same model reaches
}

// Watcher is told how the run goes on; its methods are called in turn.
type Watcher interface {
	Stage(text string)                          // what is being done now
	Planned(slices int, estimate time.Duration) // the load to come, after what has been done so far
	Measured(cell *record.Cell)                 // one slice of it is done
	Doubted(warning record.Warning)             // something that a reader must know
}

// ErrNothing says that not one stack could be measured.
var ErrNothing = errors.New("no stack could be measured")

// Run measures. When ctx ends it stops and returns what there is, marked as
// interrupted, without an error. ErrNothing comes with the results too: they say why.
func Run(ctx context.Context, c Config) (*record.Results, error) {
	if len(c.Stacks) == 0 || len(c.Data.Texts) == 0 {
		return nil, fmt.Errorf("%w: %s and %s were given", ErrNothing, english.Plural(len(c.Stacks), "stack", ""), english.Plural(len(c.Data.Texts), "text", ""))
	}
	spool, err := newSpool(c.SpoolDir)
	if err != nil {
		return nil, err
	}
	defer spool.remove()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	b := newBench(c, spool, stop)
	defer b.down()
	defer b.openGPUs()()
	b.measure(ctx)
	b.down()
	return b.results(ctx)
}

// bench is one run.
type bench struct {
	Config
	spool    *spool
	stacks   []*stack
	warnings []record.Warning
	plan     plan
	measured map[record.Sweep]bool
	short    []string // what of the memory sweep did not fit into the time
	machine  machineTime
	gpus     *sample.GPUs                         // of this machine; nil: none can be read
	startup  time.Duration                        // spent on servers of ours that take long to start
	stop     context.CancelCauseFunc              // ends the run for a reason of our own
	sleep    func(context.Context, time.Duration) // between arrivals; nil: the precise one
}

func newBench(c Config, spool *spool, stop context.CancelCauseFunc) *bench {
	b := &bench{Config: c, spool: spool, stop: stop, measured: map[record.Sweep]bool{}}
	b.Manifest.Started = time.Now()
	b.Manifest.Config = maps.Clone(c.Manifest.Config)
	if b.Manifest.Config == nil {
		b.Manifest.Config = map[string]any{}
	}
	b.Data = c.Data.stratify()
	b.ByLength = make(map[int]Texts, len(c.ByLength))
	for length, texts := range c.ByLength {
		b.ByLength[length] = texts.stratify()
	}
	return b
}

func (b *bench) measure(ctx context.Context) {
	b.up(ctx)
	b.sweep(ctx)
	b.measureRates(ctx)
	b.runScenarios(ctx)
	b.searchGoodput(ctx)
	b.measureQuality(ctx)
	b.doubtMachine()
}

// sweep measures what fits into the budget.
func (b *bench) sweep(ctx context.Context) {
	b.agree(ctx) // what slow starters take for it is no part of the budget
	ctx, end := b.limited(ctx)
	defer end()
	b.sortOut()
	b.note()
	b.measureMemory(ctx)
	b.calibrate(ctx)
	b.look(ctx)
	if len(b.Points) == 0 {
		return
	}
	b.measurePlan(ctx)
	b.searchMaxBatch(ctx)
}

// results folds the spooled cells into one value.
func (b *bench) results(ctx context.Context) (*record.Results, error) {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return nil, cause
	}
	cells, err := b.spool.cells()
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		b.warn(record.Warning{
			Code:   "interrupted",
			Text:   fmt.Sprintf("The run was ended early, after %s: cells have fewer repeats than planned, or none.", english.Plural(len(cells), "slice", "")),
			Advice: "Repeat it to its end before you decide anything by it.",
		})
	}
	b.Manifest.Finished = time.Now()
	b.Manifest.Config["plan"] = b.plan.manifest()
	r := b.soFar()
	r.Cells = cells
	if len(cells) == 0 && ctx.Err() == nil {
		return r, ErrNothing
	}
	return r, nil
}

// soFar is all that is known but the cells.
func (b *bench) soFar() *record.Results {
	r := &record.Results{Schema: record.Schema, Manifest: b.Manifest, Warnings: b.warnings}
	for _, s := range b.stacks {
		r.Stacks = append(r.Stacks, s.record)
	}
	return r
}

// note keeps that on disk, for a run that is killed.
func (b *bench) note() {
	if err := b.spool.note(b.soFar()); err != nil {
		b.stop(fmt.Errorf("write the records: %w", err))
	}
}

func (b *bench) warn(w record.Warning) {
	b.warnings = append(b.warnings, w)
	b.Watcher.Doubted(w)
}

// alive lists the stacks that can still be measured, in the order of their turn:
// each round another one begins.
func (b *bench) alive(round int) []*stack {
	var list []*stack
	for i := range b.stacks {
		if s := b.stacks[(i+round)%len(b.stacks)]; s.record.Error == "" {
			list = append(list, s)
		}
	}
	return list
}

// compared lists those of them whose figures are compared.
func (b *bench) compared(round int) []*stack {
	return slices.DeleteFunc(b.alive(round), func(s *stack) bool { return s.aside })
}

// open makes the driver for a stack's dialect.
func (s *stack) open(url string) (driver.Driver, error) {
	return openDriver(s.Dialect, url, driver.Options{Model: s.Model, Timeout: requestLimit})
}

// openDriver gives the driver of a dialect; tests have one of their own.
var openDriver = driver.Open
