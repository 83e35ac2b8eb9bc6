package batch

import (
	"context"
	"slices"
	"sync"
	"time"
)

// lane is one queue with its policy and the loop that owns its clock. Everything
// below mu is guarded by it.
type lane struct {
	runner  Runner
	policy  Policy
	limits  Limits
	options Options
	base    context.Context // of every batch
	cancel  context.CancelFunc
	changed chan struct{} // holds a token when the loop must look again
	stopped chan struct{} // closed when the loop has ended

	mu            sync.Mutex
	waiting       []Waiting
	order         []*request // Limits.Ordered: accepted and not yet told
	waitingTokens int
	accepted      int // requests not yet answered
	running       []*batch
	free          time.Time // since when fewer than limits.InFlight batches run
	closed        bool
	pace          pace
	stats         Stats // counters only; snapshot adds the gauges
}

func newLane(r Runner, p Policy, o Options) *lane {
	l := &lane{
		runner: r, policy: p, limits: p.Limits(), options: o,
		changed: make(chan struct{}, 1), stopped: make(chan struct{}),
		free: time.Now(),
	}
	if l.limits.InFlight <= 0 {
		l.limits.InFlight = o.Parallel
	}
	l.base, l.cancel = context.WithCancel(context.Background())
	go l.loop()
	return l
}

// do sees one request through, from acceptance to answer.
func (l *lane) do(ctx context.Context, j *Job) (Report, error) {
	r, err := l.accept(ctx, j)
	if err != nil {
		return Report{}, err
	}
	select {
	case <-r.done:
		return r.report, r.err
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.answer(r, ctx.Err()); r.err == nil { // answered meanwhile, and held back for order's sake
			return r.reportAt(time.Now()), nil
		}
		return r.report, r.err
	}
}

// accept puts a request into the queue, or refuses it.
func (l *lane) accept(ctx context.Context, j *Job) (*request, error) {
	tokens := countTokens(j.Items)
	r := &request{ctx: ctx, done: make(chan struct{}), unfinished: len(j.Items)}
	w := Waiting{Items: j.Items, request: r}
	if p, ok := l.policy.(Ranked); ok {
		w.rank = p.Rank(j)
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	if err := l.room(tokens, w.rank); err != nil {
		l.stats.Refused++
		return nil, err
	}
	r.arrived = time.Now()
	w.Arrived = r.arrived
	if w.rank.Timeout > 0 {
		w.expires = r.arrived.Add(w.rank.Timeout)
	}
	l.accepted++
	l.waitingTokens += tokens
	if l.limits.Ordered {
		l.order = append(l.order, r)
	}
	l.enqueue(w)
	if len(l.running) < l.limits.InFlight || !w.expires.IsZero() {
		l.look()
	}
	return r, nil
}

// room refuses a request that would exceed a bound.
func (l *lane) room(tokens int, rank Rank) error {
	switch {
	case l.limits.Waiting > 0 && len(l.waiting) >= l.limits.Waiting:
		return l.overload("requests waiting", len(l.waiting), l.limits.Waiting)
	case rank.Waiting > 0 && l.level(rank.Level) >= rank.Waiting:
		return l.overload("requests waiting at their priority", l.level(rank.Level), rank.Waiting)
	case l.limits.Accepted > 0 && l.accepted >= l.limits.Accepted:
		return l.overload("requests in flight", l.accepted, l.limits.Accepted)
	case l.waitingTokens > 0 && l.waitingTokens+tokens > l.options.WaitingTokens:
		return l.overload("tokens waiting", l.waitingTokens, l.options.WaitingTokens)
	}
	return nil
}

func (l *lane) overload(what string, count, limit int) error {
	return &OverloadError{
		What: what, Count: count, Limit: limit,
		RetryAfter: l.pace.retryAfter(l.waitingTokens, l.limits.InFlight),
	}
}

// look wakes the loop.
func (l *lane) look() {
	select {
	case l.changed <- struct{}{}:
	default: // it has been told already
	}
}

// loop owns the clock: it asks the policy whenever something changed or the time
// that the policy named has come.
func (l *lane) loop() {
	defer close(l.stopped)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		b, until, more := l.next(time.Now())
		switch {
		case b != nil:
			go l.run(b)
		case !more:
			return
		default:
			l.sleep(timer, until)
		}
	}
}

// next returns a batch to run, or until when to sleep (zero: until something
// changes), or more=false when the lane is closed and empty.
func (l *lane) next(now time.Time) (b *batch, until time.Time, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	expiry := l.expire(now)
	switch {
	case len(l.running) == l.limits.InFlight:
		return nil, expiry, true
	case len(l.waiting) == 0:
		return nil, time.Time{}, !l.closed || len(l.running) > 0
	}
	decision := l.policy.Next(State{Waiting: l.waiting, Free: l.free, Closing: l.closed}, now)
	if decision.Texts <= 0 {
		return nil, earlier(decision.Until, expiry), true
	}
	return l.take(decision.Texts, now), time.Time{}, true
}

func (l *lane) sleep(timer *time.Timer, until time.Time) {
	if until.IsZero() {
		<-l.changed
		return
	}
	timer.Reset(time.Until(until))
	defer timer.Stop()
	select {
	case <-l.changed:
	case <-timer.C:
	}
}

// take forms a batch of the first texts that wait.
func (l *lane) take(texts int, now time.Time) *batch {
	b := newBatch()
	emptied := 0
	for i := 0; i < len(l.waiting) && texts > 0; i++ {
		w := &l.waiting[i]
		n := min(texts, len(w.Items))
		b.parts = append(b.parts, part{w.request, w.Items[:n]})
		w.request.begin(now)
		l.waitingTokens -= countTokens(w.Items[:n])
		texts -= n
		if w.Items = w.Items[n:]; len(w.Items) == 0 {
			emptied++
		}
	}
	l.waiting = slices.Delete(l.waiting, 0, emptied)
	if split := len(b.parts) > emptied; split && l.limits.Turns {
		l.waiting = append(l.waiting[1:], l.waiting[0])
	}
	b.context, b.cancel = context.WithCancel(l.base)
	b.started = now
	l.running = append(l.running, b)
	return b
}
