package batch

import (
	"context"
	"errors"

	"github.com/paceline/paceline/internal/model"
)

// Runner is the engine that a queue needs: it fills b.Out, returns early when
// ctx ends, and may be called concurrently.
type Runner interface {
	Run(ctx context.Context, b *model.Batch) error
}

// Options of a queue; the zero value is usable.
type Options struct {
	// Parallel is how many calls the Runner computes side by side; default 1.
	Parallel int
	// RunTokens bounds the tokens of one engine call, and so the engine's
	// memory; default 16,384. A longer text runs alone.
	RunTokens int
	// WaitingTokens bounds the tokens that wait; default 4,194,304. A request
	// that finds none waiting is accepted whatever its size.
	WaitingTokens int
	// Observe, if set, is told of every batch after it has left the engine. It is
	// called from several goroutines and must not block.
	Observe func(BatchReport)
}

func (o Options) withDefaults() Options {
	if o.Parallel <= 0 {
		o.Parallel = 1
	}
	if o.RunTokens <= 0 {
		o.RunTokens = 16384
	}
	if o.WaitingTokens <= 0 {
		o.WaitingTokens = 4 << 20
	}
	if o.Observe == nil {
		o.Observe = func(BatchReport) {}
	}
	return o
}

// Queue puts requests into batches as its policy says. Its methods are safe for
// concurrent use. Drain it when it is no longer needed.
type Queue struct {
	shared *lane
	direct *lane
}

// New starts a queue in front of a Runner.
func New(r Runner, p Policy, o Options) *Queue {
	o = o.withDefaults()
	limits := p.Limits()
	bypass := Direct{Texts: limits.RunTexts, Queue: max(limits.Waiting, limits.Accepted)}
	return &Queue{shared: newLane(r, p, o), direct: newLane(r, bypass, o)}
}

// Do has the texts of a job computed and returns when all their results are in
// place. It returns an *OverloadError at once if there is no room, ErrClosed
// after Drain, ErrExpired if the policy lets requests wait no longer, the engine's error if this job's texts caused one, and ctx's
// error as soon as ctx ends. In that last case a batch under way may still
// write to the job's results: they must not be used again.
func (q *Queue) Do(ctx context.Context, j *Job) (Report, error) {
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	if len(j.Items) == 0 {
		return Report{}, nil
	}
	lane := q.shared
	if j.Direct {
		lane = q.direct
	}
	return lane.do(ctx, j)
}

// Stats returns the counts so far.
func (q *Queue) Stats() Stats {
	return q.shared.snapshot().Plus(q.direct.snapshot())
}

// Drain refuses new requests, finishes those that were accepted and returns nil
// when the last is answered. If ctx ends first, the rest is answered with
// ErrClosed, its batches are cancelled, and ctx's error is returned.
func (q *Queue) Drain(ctx context.Context) error {
	q.shared.close()
	q.direct.close()
	return errors.Join(q.shared.drained(ctx), q.direct.drained(ctx))
}
