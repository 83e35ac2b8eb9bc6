package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/model"
)

// The ids with which a planned text asks the simulated engine for trouble.
const (
	poison = -1 // fail the call
	bomb   = -2 // panic
)

var errPoison = errors.New("the engine does not like a text")

// plannedJob is a request of a simulated client. Its texts' ids are job number,
// text number, then filler or trouble.
type plannedJob struct {
	arrives  time.Duration
	patience time.Duration // the client leaves after that; 0: never
	tokens   []int         // of each text, at least 3
	trouble  int32         // the first text's third id
	direct   bool
}

// engineCall is what the simulated engine saw.
type engineCall struct {
	at     time.Time
	texts  [][2]int32 // job and text
	tokens int
	err    error // what it returned
}

// outcome is what a simulated client saw.
type outcome struct {
	arrived, answered time.Time
	left              time.Time // when the client lost patience
	report            Report
	err               error
	vectors           [][]float32
}

// trace is everything that a simulation showed.
type trace struct {
	jobs      []plannedJob
	outcomes  []outcome
	calls     []engineCall
	most      int // engine calls side by side
	mostQueue int // requests waiting, of what arrivals saw
	stats     Stats
	drainErr  error
}

// simulatedEngine computes at a fixed pace on the bubble's clock.
type simulatedEngine struct {
	perToken time.Duration
	mu       sync.Mutex
	running  int
	trace    *trace
}

func (e *simulatedEngine) Run(ctx context.Context, b *model.Batch) (err error) {
	call := e.enter(b)
	defer func() { e.leave(call, err) }()
	select {
	case <-time.After(time.Duration(len(b.IDs)) * e.perToken):
	case <-ctx.Done():
		return ctx.Err()
	}
	for i := range b.Len() {
		ids := b.Sequence(i)
		switch ids[2] {
		case bomb:
			err = errPoison // for the trace
			panic("a text made the engine panic")
		case poison:
			return errPoison
		}
		copy(b.Out[i].Vector, vectorOf(ids))
	}
	return nil
}

func (e *simulatedEngine) enter(b *model.Batch) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	call := engineCall{at: time.Now(), tokens: len(b.IDs)}
	for i := range b.Len() {
		ids := b.Sequence(i)
		call.texts = append(call.texts, [2]int32{ids[0], ids[1]})
	}
	e.running++
	e.trace.most = max(e.trace.most, e.running)
	e.trace.calls = append(e.trace.calls, call)
	return len(e.trace.calls) - 1
}

func (e *simulatedEngine) leave(call int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running--
	e.trace.calls[call].err = err
}

// vectorOf is what the simulated engine makes of a text.
func vectorOf(ids []int32) []float32 {
	return []float32{float32(ids[0]), float32(ids[1]), float32(len(ids))}
}

// items are a planned job's texts, with fresh buffers for the results.
func (j plannedJob) items(number int) []Item {
	items := make([]Item, len(j.tokens))
	for i, n := range j.tokens {
		ids := make([]int32, n)
		ids[0], ids[1] = int32(number), int32(i)
		items[i] = Item{IDs: ids, Out: model.Output{Vector: make([]float32, 3)}}
	}
	items[0].IDs[2] = j.trouble
	return items
}

// simulate sends the planned jobs to a queue on a fake clock, drains it, and
// returns what happened. It fails if any goroutine stays behind.
func simulate(t *testing.T, p Policy, o Options, perToken time.Duration, jobs []plannedJob) *trace {
	tr := &trace{jobs: jobs, outcomes: make([]outcome, len(jobs))}
	synctest.Test(t, func(*testing.T) {
		q := New(&simulatedEngine{perToken: perToken, trace: tr}, p, o)
		var clients sync.WaitGroup
		for i := range jobs {
			clients.Go(func() {
				time.Sleep(jobs[i].arrives) // on the bubble's clock
				tr.outcomes[i] = jobs[i].ask(q, i)
			})
		}
		queue := watchQueue(q)
		clients.Wait()
		tr.mostQueue = queue()
		tr.drainErr = q.Drain(context.Background())
		tr.stats = q.Stats()
	})
	return tr
}

// watchQueue samples the number of waiting requests every millisecond until the
// returned function asks for the largest.
func watchQueue(q *Queue) func() int {
	stop, most := make(chan struct{}), make(chan int)
	go func() {
		largest := 0
		for {
			select {
			case <-stop:
				most <- largest
				return
			case <-time.After(time.Millisecond):
				largest = max(largest, q.shared.snapshot().Waiting)
			}
		}
	}()
	return func() int { close(stop); return <-most }
}

func (j plannedJob) ask(q *Queue, number int) (o outcome) {
	ctx := context.Background()
	o.arrived = time.Now()
	if j.patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, j.patience)
		defer cancel()
		o.left = o.arrived.Add(j.patience)
	}
	items := j.items(number)
	o.report, o.err = q.Do(ctx, &Job{Items: items, Direct: j.direct})
	o.answered = time.Now()
	if o.err == nil {
		for _, item := range items {
			o.vectors = append(o.vectors, item.Out.Vector)
		}
	}
	return o
}

// violations lists every promise of the package that a trace breaks.
func (tr *trace) violations(limits Limits, o Options) []string {
	var found []string
	complain := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	o = o.withDefaults()
	inFlight := limits.InFlight
	if inFlight == 0 {
		inFlight = o.Parallel
	}
	for i, out := range tr.outcomes {
		tr.checkOutcome(i, out, complain)
	}
	computed := tr.checkCalls(limits, o, complain)
	for i, out := range tr.outcomes {
		for k := range tr.jobs[i].tokens {
			if n := computed[[2]int32{int32(i), int32(k)}]; out.err == nil && n != 1 {
				complain("text %d of request %d was computed %d times", k, i, n)
			}
		}
	}
	if inFlight == 1 {
		tr.checkOrder(complain)
	}
	if tr.most > inFlight+o.Parallel {
		complain("%d engine calls side by side", tr.most)
	}
	if limits.Waiting > 0 && tr.mostQueue > limits.Waiting {
		complain("%d requests waited, the limit is %d", tr.mostQueue, limits.Waiting)
	}
	tr.checkStats(complain)
	return found
}

// checkOutcome holds one answer against its job.
func (tr *trace) checkOutcome(i int, out outcome, complain func(string, ...any)) {
	job := tr.jobs[i]
	switch {
	case out.err == nil:
		if job.trouble != 0 {
			complain("request %d is bad and was answered", i)
		}
		for k, item := range job.items(i) {
			if want := vectorOf(item.IDs); len(out.vectors) <= k || [3]float32(out.vectors[k]) != [3]float32(want) {
				complain("request %d text %d: wrong vector", i, k)
			}
		}
		if got := out.report.Queued + out.report.Inference; got != out.answered.Sub(out.arrived) {
			complain("request %d: queued %v and inference %v do not add up to %v", i, out.report.Queued, out.report.Inference, out.answered.Sub(out.arrived))
		}
		if out.report.Texts == 0 || out.report.Requests == 0 || out.report.Tokens == 0 {
			complain("request %d: report without its batch: %+v", i, out.report)
		}
	case errors.Is(out.err, ErrOverloaded):
		if out.answered != out.arrived {
			complain("request %d was refused after %v, not at once", i, out.answered.Sub(out.arrived))
		}
	case errors.Is(out.err, context.DeadlineExceeded):
		if job.patience == 0 || out.answered.After(out.left) {
			complain("request %d: %v at %v", i, out.err, out.answered)
		}
	case errors.Is(out.err, errPoison) && job.trouble == poison, errors.Is(out.err, ErrPanic) && job.trouble == bomb:
	default:
		complain("request %d is innocent and failed: %v", i, out.err)
	}
}

// checkCalls holds the engine's calls against the bounds and counts how often
// each text was computed by a call that succeeded.
func (tr *trace) checkCalls(limits Limits, o Options, complain func(string, ...any)) map[[2]int32]int {
	computed := map[[2]int32]int{}
	for _, call := range tr.calls {
		if call.tokens > o.RunTokens && len(call.texts) > 1 {
			complain("an engine call of %d tokens", call.tokens)
		}
		if limits.RunTexts > 0 && len(call.texts) > limits.RunTexts {
			complain("an engine call of %d texts", len(call.texts))
		}
		for _, text := range call.texts {
			if out := tr.outcomes[text[0]]; !out.left.IsZero() && !call.at.Before(out.left) {
				complain("request %d was computed after its client had left", text[0])
			}
			if call.err == nil {
				computed[text]++
			}
		}
	}
	return computed
}

// checkOrder wants the requests of the policy's queue to enter the engine in the
// order of their arrival. Those that arrive at the same instant have no order.
func (tr *trace) checkOrder(complain func(string, ...any)) {
	latest := time.Time{}
	seen := map[int32]bool{}
	for _, call := range tr.calls {
		for _, text := range call.texts {
			job := text[0]
			if tr.jobs[job].direct || seen[job] {
				continue
			}
			seen[job] = true
			if arrived := tr.outcomes[job].arrived; arrived.Before(latest) {
				complain("request %d entered the engine after a younger one", job)
			} else {
				latest = arrived
			}
		}
	}
}

// checkStats wants every request counted once, and nothing left behind.
func (tr *trace) checkStats(complain func(string, ...any)) {
	s := tr.stats
	if tr.drainErr != nil {
		complain("drain: %v", tr.drainErr)
	}
	if s.Waiting != 0 || s.WaitingTexts != 0 || s.WaitingTokens != 0 || s.Running != 0 {
		complain("a drained queue holds %+v", s)
	}
	if n := s.Requests + s.Refused + s.Abandoned + s.Failed; n != uint64(len(tr.jobs)) {
		complain("%d of %d requests were counted: %+v", n, len(tr.jobs), s)
	}
}
