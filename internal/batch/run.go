package batch

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/paceline/paceline/internal/model"
)

// run takes a batch through the engine and answers its requests.
func (l *lane) run(b *batch) {
	for at := (cursor{}); l.nextCall(b, &at); {
		err := l.compute(b.context, b.flatten(b.call))
		if err != nil && b.context.Err() == nil {
			l.blame(b, err)
		}
	}
	l.finish(b, time.Now())
}

// cursor is the first text of a batch that no engine call has had.
type cursor struct{ part, item int }

// nextCall gathers into b.call the next texts that fit into one engine call.
// Requests that have ended meanwhile are answered and left out.
func (l *lane) nextCall(b *batch, c *cursor) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	b.call = b.call[:0]
	texts, tokens := 0, 0
	for ; c.part < len(b.parts); c.part, c.item = c.part+1, 0 {
		p := b.parts[c.part]
		if p.request.ended(now) {
			l.answer(p.request, p.request.endError())
			continue
		}
		n := l.fits(p.items[c.item:], texts, tokens)
		if n > 0 {
			items := p.items[c.item : c.item+n]
			b.call = append(b.call, part{p.request, items})
			texts += n
			tokens += countTokens(items)
			b.count(c.item == 0, items)
		}
		if c.item += n; c.item < len(p.items) {
			return true // the call is full
		}
	}
	return len(b.call) > 0
}

// fits counts the leading items that an engine call of that size can still take.
// An empty call takes at least one.
func (l *lane) fits(items []Item, texts, tokens int) int {
	for i := range items {
		tokens += len(items[i].IDs)
		full := tokens > l.options.RunTokens || l.limits.RunTexts > 0 && texts == l.limits.RunTexts
		if full && texts > 0 {
			return i
		}
		texts++
	}
	return len(items)
}

// compute calls the engine and turns a panic into an error.
func (l *lane) compute(ctx context.Context, flat *model.Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, p, debug.Stack())
		}
	}()
	return l.runner.Run(ctx, flat)
}

// blame finds out whose texts made a call fail: it computes each request's texts
// alone and answers with its own error whoever fails again.
func (l *lane) blame(b *batch, err error) {
	if len(b.call) == 1 {
		l.fail(b.call[0].request, err)
		return
	}
	for i := range b.call {
		alone := b.call[i : i+1]
		if l.isAnswered(alone[0].request) {
			continue
		}
		if err := l.compute(b.context, b.flatten(alone)); err != nil && b.context.Err() == nil {
			l.fail(alone[0].request, err)
		}
	}
}

func (l *lane) isAnswered(r *request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return r.answered
}

func (l *lane) fail(r *request, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer(r, err)
}

// finish takes a batch out of the engine, answers the requests whose last texts
// were in it, and tells the loop that there is room.
func (l *lane) finish(b *batch, now time.Time) {
	report := b.size
	report.Policy, report.Inference = l.policy.Name(), now.Sub(b.started)
	l.mu.Lock()
	l.leave(b, now)
	l.count(report)
	for _, p := range b.parts {
		if p.request.travelled(report, len(p.items)); p.request.unfinished == 0 {
			l.answerAt(p.request, nil, now)
		}
	}
	l.mu.Unlock()
	b.cancel()
	b.release()
	if report.Texts > 0 {
		l.options.Observe(report)
	}
	l.look()
}

// leave frees the batch's place.
func (l *lane) leave(b *batch, now time.Time) {
	if len(l.running) == l.limits.InFlight {
		l.free = now
	}
	i := slices.Index(l.running, b)
	l.running = slices.Delete(l.running, i, i+1)
}

func (l *lane) count(r BatchReport) {
	if r.Texts == 0 { // everybody had left before it began
		return
	}
	l.stats.Batches++
	l.stats.Texts += uint64(r.Texts)
	l.stats.Tokens += uint64(r.Tokens)
	l.stats.Inference += r.Inference
	l.pace.observe(r.Tokens, r.Inference)
}
