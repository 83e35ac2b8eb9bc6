package batch

import (
	"slices"
	"time"
)

// enqueue puts a request behind those of its level, before lower ones, and
// before those of its level that have expired once.
func (l *lane) enqueue(w Waiting) {
	i := len(l.waiting)
	for i > 0 && w.before(&l.waiting[i-1]) {
		i--
	}
	l.waiting = slices.Insert(l.waiting, i, w)
}

// before tells whether w overtakes one that waits already.
func (w *Waiting) before(other *Waiting) bool {
	if w.rank.Level != other.rank.Level {
		return w.rank.Level < other.rank.Level
	}
	return !w.delayed && other.delayed
}

// level counts the requests that wait at one level.
func (l *lane) level(level uint64) int {
	n := 0
	for i := range l.waiting {
		if l.waiting[i].rank.Level == level {
			n++
		}
	}
	return n
}

// expire refuses or puts back the requests that have waited too long, and says
// when the next one will have; zero if none will.
func (l *lane) expire(now time.Time) (next time.Time) {
	for i := 0; i < len(l.waiting); {
		w := l.waiting[i]
		switch {
		case w.expires.IsZero() || !w.request.begun.IsZero():
			i++
		case now.Before(w.expires):
			next = earlier(next, w.expires)
			i++
		case w.rank.Delay:
			l.waiting = slices.Delete(l.waiting, i, i+1)
			w.delayed, w.expires = true, time.Time{}
			l.enqueue(w)
		default:
			l.answerAt(w.request, ErrExpired, now) // takes it out
		}
	}
	return next
}

// earlier is the earlier of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
