package batch

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/model"
)

func TestLeaversAreNotCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New(busyFor(time.Second), FastAPI(), Options{})
		var clients sync.WaitGroup
		clients.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond) // with the window's end
			defer cancel()
			if got, err := q.Do(ctx, job(2)); !errors.Is(err, context.DeadlineExceeded) || got.Queued != 50*time.Millisecond {
				t.Errorf("%+v, %v", got, err)
			}
		})
		clients.Go(func() {
			if got, err := q.Do(context.Background(), job(3)); err != nil || got.Requests != 1 || got.Texts != 3 {
				t.Errorf("%+v, %v", got, err)
			}
		})
		clients.Wait()
		drain(t, q)
		if s := q.Stats(); s.Batches != 1 || s.Texts != 3 || s.Tokens != 6 || s.Requests != 1 || s.Abandoned != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestOverloadSaysWhatAndWhen(t *testing.T) {
	t.Parallel()
	second := Options{WaitingTokens: 7}
	for name, c := range map[string]struct {
		policy  Policy
		options Options
		want    OverloadError
	}{
		"waiting":  {Continuous{Tokens: 2, Texts: 1, Queue: 3}, Options{}, OverloadError{What: "requests waiting", Count: 3, Limit: 3, RetryAfter: 3 * time.Second}},
		"accepted": {Budget{Tokens: 2, Texts: 1, Concurrent: 4}, Options{}, OverloadError{What: "requests in flight", Count: 4, Limit: 4, RetryAfter: 3 * time.Second}},
		"tokens":   {Continuous{Tokens: 2, Texts: 1, Queue: 9}, second, OverloadError{What: "tokens waiting", Count: 6, Limit: 7, RetryAfter: 3 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := New(busyFor(time.Second), c.policy, c.options)
				if _, err := q.Do(context.Background(), job(1)); err != nil { // from which the pace is known
					t.Error(err)
				}
				var clients sync.WaitGroup
				for range 4 { // one runs, three wait
					clients.Go(func() {
						if _, err := q.Do(context.Background(), job(1)); err != nil {
							t.Error(err)
						}
					})
					synctest.Wait()
				}
				_, err := q.Do(context.Background(), job(1))
				var overload *OverloadError
				if !errors.As(err, &overload) || *overload != c.want || !errors.Is(err, ErrOverloaded) {
					t.Errorf("got %v, want %v", err, &c.want)
				}
				clients.Wait()
				drain(t, q)
			})
		})
	}
}

func TestOnlyTheCulpritFails(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]int32{"error": poison, "panic": bomb} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			jobs := []plannedJob{
				{tokens: []int{3, 3}}, {tokens: []int{4}, trouble: trouble}, {tokens: []int{5, 5, 5}},
			}
			p := Window{Requests: 3, Wait: time.Second, Queue: 9}
			tr := simulate(t, p, Options{}, time.Millisecond, jobs)
			if found := tr.violations(p.Limits(), Options{}); len(found) > 0 {
				t.Error(strings.Join(found, "\n"))
			}
			if len(tr.calls) != 4 || tr.stats.Failed != 1 || tr.stats.Requests != 2 {
				t.Errorf("%d engine calls, %+v", len(tr.calls), tr.stats)
			}
		})
	}
}

func TestPanicTellsWhere(t *testing.T) {
	t.Parallel()
	q := New(runnerFunc(func(context.Context, *model.Batch) error { panic("index out of range") }), VLLM(), Options{})
	_, err := q.Do(context.Background(), job(1))
	if !errors.Is(err, ErrPanic) || !strings.Contains(err.Error(), "index out of range") || !strings.Contains(err.Error(), "queue_test.go") {
		t.Errorf("got %v", err)
	}
	drain(t, q)
}

func TestEngineStopsWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var stopped time.Duration
		start := time.Now()
		q := New(runnerFunc(func(ctx context.Context, _ *model.Batch) error {
			<-ctx.Done()
			stopped = time.Since(start)
			return ctx.Err()
		}), Window{Requests: 2, Wait: time.Second, Queue: 9}, Options{})
		var clients sync.WaitGroup
		for i := range 2 {
			clients.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i+1)*time.Second)
				defer cancel()
				if _, err := q.Do(ctx, job(1)); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("client %d: %v", i, err)
				}
			})
		}
		clients.Wait()
		drain(t, q)
		if stopped != 2*time.Second {
			t.Errorf("the engine was stopped after %v, the last client left after 2s", stopped)
		}
	})
}
