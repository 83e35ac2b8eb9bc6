package batch

import (
	"context"
	"errors"
	"slices"
	"time"
)

// answer ends a request, once: with its results in place (err nil) or with an
// error, and then without the texts that still wait. The caller holds mu.
func (l *lane) answer(r *request, err error) { l.answerAt(r, err, time.Now()) }

func (l *lane) answerAt(r *request, err error, now time.Time) {
	if r.answered {
		return
	}
	r.answered, r.err, r.report = true, err, r.reportAt(now)
	l.accepted--
	l.tally(r)
	if err != nil {
		l.forget(r)
	}
	l.tell(r, now)
}

// tell lets the client go on, in the order of acceptance where that is promised:
// then an answer waits for those before it.
func (l *lane) tell(r *request, now time.Time) {
	if !l.limits.Ordered {
		close(r.done)
		return
	}
	n := 0
	for n < len(l.order) && l.order[n].answered {
		l.order[n].report = l.order[n].reportAt(now) // with the time that it was held back
		close(l.order[n].done)
		n++
	}
	l.order = slices.Delete(l.order, 0, n)
}

// tally counts how a request ended.
func (l *lane) tally(r *request) {
	switch {
	case r.err == nil:
		l.stats.Requests++
		l.stats.Queued += r.report.Queued
	case errors.Is(r.err, context.Canceled), errors.Is(r.err, context.DeadlineExceeded), r.err == ErrClosed:
		l.stats.Abandoned++
	case r.err == ErrExpired:
		l.stats.Refused++
	default:
		l.stats.Failed++
	}
}

// forget takes an answered request's texts out of the queue, and cancels a batch
// under way if nobody waits for it any more.
func (l *lane) forget(r *request) {
	i := slices.IndexFunc(l.waiting, func(w Waiting) bool { return w.request == r })
	if i >= 0 {
		l.waitingTokens -= countTokens(l.waiting[i].Items)
		l.waiting = slices.Delete(l.waiting, i, i+1)
		l.look()
	}
	for _, b := range l.running {
		if b.abandoned() {
			b.cancel()
		}
	}
}

// close refuses further requests and lets the loop finish those that wait.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.look()
}

// drained waits until a closed lane is empty, or gives up what is left.
func (l *lane) drained(ctx context.Context) error {
	select {
	case <-l.stopped:
		l.cancel()
		return nil
	case <-ctx.Done():
		l.giveUp()
		return ctx.Err()
	}
}

// giveUp answers everybody and cancels every batch.
func (l *lane) giveUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) > 0 {
		l.answer(l.waiting[0].request, ErrClosed)
	}
	for _, b := range l.running {
		for _, p := range b.parts {
			l.answer(p.request, ErrClosed)
		}
	}
	l.cancel()
}

// snapshot is the lane's counters with its gauges.
func (l *lane) snapshot() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Waiting, s.WaitingTexts, s.WaitingTokens = len(l.waiting), countTexts(l.waiting), l.waitingTokens
	s.Running = len(l.running)
	return s
}
