package batch

import (
	"context"
	"errors"
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
