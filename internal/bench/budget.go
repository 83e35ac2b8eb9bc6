package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paceline/paceline/internal/bench/driver"
)

// requestLimit is when a request that got no reply counts as failed, however much
// time there is.
const requestLimit = time.Minute

// errOver ends what is under way when the run's time is.
var errOver = errors.New("the run's time was used up")

// elapsed is the time that the run has taken. Stacks that take minutes to start do
// not cost the others their slices.
func (b *bench) elapsed() time.Duration { return time.Since(b.Manifest.Started) - b.startup }

// spent says whether a share of the budget has passed.
func (b *bench) spent(share float64) bool {
	return b.Effort.Budget > 0 && b.elapsed().Seconds() > share*b.Effort.Budget.Seconds()
}

// left is what remains of a share of the budget, in seconds; 0 stands for no
// limit, so it never falls to that.
func (b *bench) left(share float64) float64 {
	if b.Effort.Budget == 0 {
		return 0
	}
	return max(1e-3, share*b.Effort.Budget.Seconds()-b.elapsed().Seconds())
}

// limited ends with ctx and when the budget is used up, with errOver as its cause. It
// is no deadline: what is cut off did not run into a time limit of its own.
func (b *bench) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if b.Effort.Budget == 0 {
		return ctx, func() { cancel(nil) }
	}
	timer := time.AfterFunc(b.Effort.Budget-b.elapsed(), func() { cancel(errOver) })
	return ctx, func() { timer.Stop(); cancel(nil) }
}

// over tells whether ctx ended because the budget is used up.
func over(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errOver) }

// patience is how long a stack may keep silent before it is given up on: so long that
// a slow one is not taken for a silent one, so short that time is left even if all
// keep silent, one after the other.
func (b *bench) patience() time.Duration {
	if b.Effort.Budget == 0 {
		return requestLimit
	}
	return min(requestLimit, b.Effort.Budget/time.Duration(len(b.Stacks)+4))
}

// within asks something of a stack with as much patience as there is.
func (b *bench) within(ctx context.Context, ask func(context.Context) error) error {
	return b.withPatience(ctx, b.patience(), ask)
}

// first asks a stack for its first answers. Those of a server of ours that takes long
// to start belong to its start: it may compile or load what they need only then.
func (b *bench) first(ctx context.Context, s *stack, ask func(context.Context) error) error {
	if s.server == nil || s.cheap() {
		return b.within(ctx, ask)
	}
	began := time.Now()
	defer func() { b.startup += time.Since(began) }()
	return b.withPatience(ctx, requestLimit, ask)
}

func (b *bench) withPatience(ctx context.Context, limit time.Duration, ask func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := ask(bounded)
	if err != nil && ctx.Err() == nil && (bounded.Err() != nil || timedOut(err)) {
		return &silentError{limit, b.Effort.Name, err}
	}
	return err
}

// timedOut tells whether a request ran into the deadline of its context, which the
// connection may notice a moment before the context does.
func timedOut(err error) bool {
	var failure *driver.Failure
	return errors.As(err, &failure) && failure.Outcome == driver.Timeout
}

// silentError says that a stack kept silent for too long.
type silentError struct {
	limit  time.Duration
	effort string
	err    error // what was noticed in the end; nil: nothing
}

func (e *silentError) Error() string {
	text := fmt.Sprintf("it was given up on after %v, and a %s run waits no longer", e.limit.Round(100*time.Millisecond), e.effort)
	if e.err != nil {
		text += ": " + e.err.Error()
	}
	return text
}

func (e *silentError) Unwrap() error { return e.err }
