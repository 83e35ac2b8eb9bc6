package batch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/model"
)

func TestRankFollowsTheConfig(t *testing.T) {
	t.Parallel()
	second := time.Second
	levels := Preferred{
		Levels: 3, Default: 2, Policy: QueuePolicy{Timeout: second, Override: true, Size: 9},
		Policies: map[uint64]QueuePolicy{1: {Delay: true, Timeout: 2 * second, Size: 4}},
	}
	for _, c := range []struct {
		policy   Preferred
		priority uint64
		timeout  time.Duration
		want     Rank
	}{
		{Preferred{}, 7, second, Rank{}},
		{levels, 0, 0, Rank{Level: 2, Waiting: 9, Timeout: second}},
		{levels, 3, second / 2, Rank{Level: 3, Waiting: 9, Timeout: second / 2}},
		{levels, 4, 2 * second, Rank{Level: 2, Waiting: 9, Timeout: second}}, // no such level; a longer timeout is not granted
		{levels, 1, second / 2, Rank{Level: 1, Waiting: 4, Timeout: 2 * second, Delay: true}},
	} {
		if got := c.policy.Rank(&Job{Priority: c.priority, Timeout: c.timeout}); got != c.want {
			t.Errorf("priority %d, timeout %v: %+v, want %+v", c.priority, c.timeout, got, c.want)
		}
	}
}

// recording is an engine of one call at a time that notes the number of tokens
// of each call's first text, by which tests know their requests.
type recording struct {
	takes time.Duration
	mu    sync.Mutex
	seen  []int
}

func (r *recording) Run(ctx context.Context, b *model.Batch) error {
	r.mu.Lock()
	r.seen = append(r.seen, int(b.Starts[1]))
	r.mu.Unlock()
	return busyFor(r.takes)(ctx, b)
}

// numbered is a request of one text, told from others by its tokens.
func numbered(n int, priority uint64) *Job {
	return &Job{Items: []Item{{IDs: make([]int32, n)}}, Priority: priority}
}

// TestPrioritiesGoFirst lets requests of all levels gather behind a busy engine.
func TestPrioritiesGoFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine := &recording{takes: time.Second}
		q := New(engine, Preferred{MaxTexts: 1, Instances: 1, Levels: 3, Default: 2}, Options{})
		var clients sync.WaitGroup
		for i, priority := range []uint64{3, 3, 2, 0, 1, 3, 1} {
			clients.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond) // on the bubble's clock
				if _, err := q.Do(context.Background(), numbered(i+1, priority)); err != nil {
					t.Error(err)
				}
			})
		}
		clients.Wait()
		drain(t, q)
		if want := []int{1, 5, 7, 3, 4, 2, 6}; !slices.Equal(engine.seen, want) {
			t.Errorf("entered as %v, want %v", engine.seen, want)
		}
	})
}

// TestExpiredAreRefused lets requests wait for longer than they may, while the
// engine is busy: they are told as soon as that is so, and never computed.
func TestExpiredAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine := &recording{takes: time.Second}
		q := New(engine, Preferred{MaxTexts: 1, Instances: 1, Policy: QueuePolicy{Timeout: 300 * time.Millisecond, Override: true}}, Options{})
		var clients sync.WaitGroup
		clients.Go(func() { _, _ = q.Do(context.Background(), numbered(1, 0)) })
		for i, timeout := range []time.Duration{0, 100 * time.Millisecond, time.Hour} {
			clients.Go(func() {
				time.Sleep(10 * time.Millisecond)
				began := time.Now()
				j := numbered(i+2, 0)
				j.Timeout = timeout
				_, err := q.Do(context.Background(), j)
				want := 300 * time.Millisecond
				if i == 1 {
					want = timeout
				}
				if took := time.Since(began); !errors.Is(err, ErrExpired) || took != want {
					t.Errorf("request %d: %v after %v, want %v", i, err, took, want)
				}
			})
		}
		clients.Wait()
		if s := q.Stats(); s.Refused != 3 || s.Requests != 1 || s.Waiting != 0 || s.WaitingTokens != 0 {
			t.Errorf("%+v", s)
		}
		drain(t, q)
		if !slices.Equal(engine.seen, []int{1}) {
			t.Errorf("computed %v", engine.seen)
		}
	})
}

// TestExpiredAreDelayed lets a request that has waited too long wait behind the
// others of its level, but before lower ones.
func TestExpiredAreDelayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		engine := &recording{takes: time.Second}
		q := New(engine, Preferred{
			MaxTexts: 1, Instances: 1, Levels: 2, Default: 1,
			Policies: map[uint64]QueuePolicy{1: {Delay: true, Timeout: 1500 * time.Millisecond}},
		}, Options{})
		var clients sync.WaitGroup
		ask := func(n int, priority uint64, at time.Duration) {
			clients.Go(func() {
				time.Sleep(at)
				if _, err := q.Do(context.Background(), numbered(n, priority)); err != nil {
					t.Error(err)
				}
			})
		}
		ask(1, 1, 0)                     // computed from 0 to 1 s
		ask(2, 1, 10*time.Millisecond)   // from 1 to 2 s
		ask(3, 1, 20*time.Millisecond)   // expires at 1.52 s
		ask(4, 2, 30*time.Millisecond)   // of the lower level
		ask(5, 1, 1900*time.Millisecond) // overtakes 3
		clients.Wait()
		drain(t, q)
		if want := []int{1, 2, 5, 3, 4}; !slices.Equal(engine.seen, want) {
			t.Errorf("entered as %v, want %v", engine.seen, want)
		}
	})
}

func TestEachLevelHasItsOwnBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New(busyFor(time.Second), Preferred{
			MaxTexts: 1, Instances: 1, Levels: 2, Default: 2, Policies: map[uint64]QueuePolicy{1: {Size: 1}},
		}, Options{})
		var clients sync.WaitGroup
		refused := make([]error, 4)
		for i, priority := range []uint64{2, 1, 1, 2} {
			clients.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				_, refused[i] = q.Do(context.Background(), numbered(i+1, priority))
			})
		}
		clients.Wait()
		drain(t, q)
		for i, err := range refused {
			if errors.Is(err, ErrOverloaded) != (i == 2) {
				t.Errorf("request %d: %v", i, err)
			}
		}
	})
}

// uneven is an engine that takes as many seconds as the first text has tokens.
func uneven(ctx context.Context, b *model.Batch) error {
	return busyFor(time.Duration(b.Starts[1])*time.Second)(ctx, b)
}

// TestOrderIsPreserved runs a slow request and quick ones side by side: with
// Ordered the quick ones are told after it, without it before.
func TestOrderIsPreserved(t *testing.T) {
	t.Parallel()
	for _, ordered := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			q := New(runnerFunc(uneven), Preferred{MaxTexts: 1, Instances: 4, Ordered: ordered}, Options{})
			start := time.Now()
			var clients sync.WaitGroup
			for i, seconds := range []int{5, 1, 2} {
				clients.Go(func() {
					time.Sleep(time.Duration(i) * time.Millisecond)
					if _, err := q.Do(context.Background(), numbered(seconds, 0)); err != nil {
						t.Error(err)
					}
					want := seconds
					if ordered {
						want = 5
					}
					if took := time.Since(start).Round(time.Second); took != time.Duration(want)*time.Second {
						t.Errorf("ordered %v: the request of %d s was told after %v", ordered, seconds, took)
					}
				})
			}
			left, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
			defer cancel()
			clients.Go(func() { // who leaves does not hold up the others, and is not held up
				if _, err := q.Do(left, numbered(4, 0)); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
					t.Errorf("%v after %v", err, time.Since(start))
				}
			})
			clients.Wait()
			drain(t, q)
		})
	}
}
