package batch

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// runnerFunc makes a Runner of a function.
type runnerFunc func(ctx context.Context, b *model.Batch) error

func (f runnerFunc) Run(ctx context.Context, b *model.Batch) error { return f(ctx, b) }

// busyFor takes d for every call, unless its context ends.
func busyFor(d time.Duration) runnerFunc {
	return func(ctx context.Context, b *model.Batch) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// job is a request of so many texts of two tokens.
func job(texts int) *Job {
	j := &Job{}
	for range texts {
		j.Items = append(j.Items, Item{IDs: []int32{1, 2}})
	}
	return j
}

func drain(t *testing.T, q *Queue) {
	t.Helper()
	if err := q.Drain(context.Background()); err != nil {
		t.Errorf("Drain: %v", err)
	}
}

// TestWindowJoinsRequests checks what three requests of one window are told.
func TestWindowJoinsRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var observed []BatchReport
		q := New(busyFor(7*time.Millisecond), FastAPI(), Options{Observe: func(r BatchReport) { observed = append(observed, r) }})
		var clients sync.WaitGroup
		for i := range 3 {
			clients.Go(func() {
				time.Sleep(time.Duration(i*10) * time.Millisecond) // on the bubble's clock
				got, err := q.Do(context.Background(), job(i+1))
				want := Report{
					Queued: time.Duration(50-i*10) * time.Millisecond, Inference: 7 * time.Millisecond,
					Requests: 3, Texts: 6, Tokens: 12,
				}
				if err != nil || got != want {
					t.Errorf("request %d: %+v, %v, want %+v", i, got, err, want)
				}
			})
		}
		clients.Wait()
		drain(t, q)
		want := BatchReport{Policy: "window", Requests: 3, Texts: 6, Tokens: 12, Inference: 7 * time.Millisecond}
		if !slices.Equal(observed, []BatchReport{want}) {
			t.Errorf("observed %+v", observed)
		}
		if s := q.Stats(); s.AverageBatch() != 6 || s.Queued != 120*time.Millisecond || s.Inference != 7*time.Millisecond {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestWindowOpensWhenTheEngineIsFree sends a request while a batch is computed: its
// window begins with the end of that batch.
func TestWindowOpensWhenTheEngineIsFree(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New(busyFor(20*time.Millisecond), FastAPI(), Options{})
		var clients sync.WaitGroup
		clients.Go(func() { _, _ = q.Do(context.Background(), job(1)) })
		clients.Go(func() {
			time.Sleep(60 * time.Millisecond) // on the bubble's clock; the batch began at 50 and ends at 70
			if got, err := q.Do(context.Background(), job(1)); err != nil || got.Queued != 60*time.Millisecond {
				t.Errorf("%+v, %v, want to be queued until 120ms", got, err)
			}
		})
		clients.Wait()
		drain(t, q)
	})
}

// TestLeaversAreNotCounted has one of two clients leave before their batch begins.
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

// TestDirectPassesTheQueue sends a request past a window that is still open.
func TestDirectPassesTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New(busyFor(time.Millisecond), FastAPI(), Options{})
		var clients sync.WaitGroup
		clients.Go(func() { _, _ = q.Do(context.Background(), job(5)) })
		synctest.Wait() // the other one is in the window
		j := job(130)
		j.Direct = true
		got, err := q.Do(context.Background(), j)
		want := Report{Inference: 3 * time.Millisecond, Requests: 1, Texts: 130, Tokens: 260} // three calls of at most 64
		if err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		clients.Wait()
		drain(t, q)
	})
}

// TestLargeRequestIsSplitAndJoined sends one that needs several batches.
func TestLargeRequestIsSplitAndJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sizes []int
		q := New(runnerFunc(func(_ context.Context, b *model.Batch) error {
			time.Sleep(time.Second) // on the bubble's clock
			sizes = append(sizes, b.Len())
			for i := range b.Out {
				b.Out[i].Vector[0]++
			}
			return nil
		}), TEI(), Options{})
		j := job(600)
		for i := range j.Items {
			j.Items[i].Out.Vector = make([]float32, 1)
		}
		got, err := q.Do(context.Background(), j)
		want := Report{Inference: 3 * time.Second, Requests: 1, Texts: 256, Tokens: 512} // the largest of its batches
		if err != nil || got != want || !slices.Equal(sizes, []int{256, 256, 88}) {
			t.Errorf("%+v, %v, want %+v; calls of %v texts", got, err, want, sizes)
		}
		for i := range j.Items {
			if j.Items[i].Out.Vector[0] != 1 {
				t.Fatalf("text %d was computed %v times", i, j.Items[i].Out.Vector[0])
			}
		}
		drain(t, q)
	})
}

// TestTurns sends a small request during the first of a large one's ten batches:
// the second is the large one's too, the third they share.
func TestTurns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy       Policy
		small, large time.Duration // when they are answered
	}{
		"vllm": {VLLM(), 10 * time.Second, 10 * time.Second}, // its texts fill the large one's last batch
		"own":  {Own(), 3 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q, start := New(busyFor(time.Second), c.policy, Options{}), time.Now()
				answered := func(texts int, want time.Duration) {
					if _, err := q.Do(context.Background(), job(texts)); err != nil || time.Since(start) != want {
						t.Errorf("%d texts: %v after %v, want %v", texts, err, time.Since(start), want)
					}
				}
				var clients sync.WaitGroup
				clients.Go(func() { answered(9*256+100, c.large) })
				synctest.Wait()
				clients.Go(func() { answered(3, c.small) })
				clients.Wait()
				drain(t, q)
			})
		})
	}
}

// TestItemsReachTheEngine checks that types and prompts' lengths are passed on.
func TestItemsReachTheEngine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New(runnerFunc(func(_ context.Context, b *model.Batch) error {
			if !slices.Equal(b.IDs, []int32{7, 8, 9, 5}) || !slices.Equal(b.Types, []uint8{0, 1, 1, 0}) ||
				!slices.Equal(b.Starts, []int32{0, 3, 4}) || !slices.Equal(b.Skip, []int32{2, 0}) {
				t.Errorf("the engine got %+v", b)
			}
			return nil
		}), VLLM(), Options{})
		_, err := q.Do(context.Background(), &Job{Items: []Item{
			{IDs: []int32{7, 8, 9}, Types: []uint8{0, 1, 1}, Skip: 2},
			{IDs: []int32{5}},
		}})
		if err != nil {
			t.Error(err)
		}
		drain(t, q)
	})
}

func TestJobsThatNeedNoEngine(t *testing.T) {
	t.Parallel()
	q := New(runnerFunc(func(context.Context, *model.Batch) error {
		t.Error("the engine was called")
		return nil
	}), VLLM(), Options{})
	if _, err := q.Do(context.Background(), &Job{}); err != nil {
		t.Errorf("a job without texts: %v", err)
	}
	_, err := q.Do(context.Background(), &Job{Items: []Item{{IDs: []int32{1}}, {}}})
	if err == nil || !strings.Contains(err.Error(), "text 1 of 2 has no token ids") {
		t.Errorf("a text without ids: %v", err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := q.Do(gone, job(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that has left: %v", err)
	}
	drain(t, q)
}

// TestOverloadSaysWhatAndWhen fills each kind of bound.
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

// TestOnlyTheCulpritFails puts a text that breaks the engine among others.
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

// TestPanicTellsWhere checks that a panic's message and stack are kept.
func TestPanicTellsWhere(t *testing.T) {
	t.Parallel()
	q := New(runnerFunc(func(context.Context, *model.Batch) error { panic("index out of range") }), VLLM(), Options{})
	_, err := q.Do(context.Background(), job(1))
	if !errors.Is(err, ErrPanic) || !strings.Contains(err.Error(), "index out of range") || !strings.Contains(err.Error(), "queue_test.go") {
		t.Errorf("got %v", err)
	}
	drain(t, q)
}

// TestEngineStopsWhenNobodyWaits has the clients of a running batch leave one
// after another.
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

// TestInstancesRunSideBySide counts the batches in the engine at once.
func TestInstancesRunSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		q := New(runnerFunc(func(context.Context, *model.Batch) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second) // on the bubble's clock
			now.Add(-1)
			return nil
		}), Triton(), Options{Parallel: 7})
		var clients sync.WaitGroup
		for range 5 {
			clients.Go(func() { _, _ = q.Do(context.Background(), job(128)) })
		}
		clients.Wait()
		drain(t, q)
		if most.Load() != 2 {
			t.Errorf("%d batches ran side by side, there are 2 instances", most.Load())
		}
	})
}

func TestDrainFinishesWhatWasAccepted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New(busyFor(time.Second), FastAPI(), Options{})
		var clients sync.WaitGroup
		for _, direct := range []bool{true, false, false} {
			clients.Go(func() {
				j := job(3)
				j.Direct = direct
				if _, err := q.Do(context.Background(), j); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		drain(t, q)
		if took := time.Since(start); took != time.Second {
			t.Errorf("drained after %v: an open window must not be waited for", took)
		}
		clients.Wait()
		if _, err := q.Do(context.Background(), job(1)); !errors.Is(err, ErrClosed) {
			t.Errorf("after Drain: %v", err)
		}
		drain(t, q) // again
	})
}

func TestDrainGivesUpWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New(busyFor(time.Hour), Continuous{Tokens: 2, Texts: 1, Queue: 9}, Options{})
		var clients sync.WaitGroup
		for range 3 {
			clients.Go(func() {
				if _, err := q.Do(context.Background(), job(2)); !errors.Is(err, ErrClosed) {
					t.Errorf("got %v", err)
				}
			})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := q.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain: %v", err)
		}
		clients.Wait()
	})
}

// TestHammer runs the real clock and the race detector over every profile.
func TestHammer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"fastapi", "triton", "tei", "langchain", "vllm"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := Profile(name)
			if err != nil {
				t.Fatal(err)
			}
			if w, ok := p.(Window); ok {
				w.Wait = time.Millisecond
				p = w
			}
			q := New(runnerFunc(double), p, Options{Parallel: 2})
			var clients sync.WaitGroup
			var answered atomic.Uint64
			for client := range 32 {
				clients.Go(func() { answered.Add(hammer(t, q, client)) })
			}
			clients.Wait()
			drain(t, q)
			if s := q.Stats(); s.Requests != answered.Load() || s.Failed+s.Refused != 0 {
				t.Errorf("%d requests were answered: %+v", answered.Load(), s)
			}
		})
	}
}

// double writes each text's first id, doubled.
func double(_ context.Context, b *model.Batch) error {
	for i := range b.Len() {
		b.Out[i].Vector[0] = float32(2 * b.Sequence(i)[0])
	}
	return nil
}

// hammer sends 20 requests and returns how many were answered with results.
func hammer(t *testing.T, q *Queue, client int) (answered uint64) {
	for n := range 20 {
		j := &Job{Direct: n%7 == 0}
		for i := range 1 + (client+n)%9 {
			j.Items = append(j.Items, Item{IDs: []int32{int32(client*1000 + n*10 + i)}, Out: model.Output{Vector: make([]float32, 1)}})
		}
		ctx, cancel := context.WithCancel(context.Background())
		if n%5 == 0 {
			go cancel() // some leave at once, some in the middle, some too late
		}
		_, err := q.Do(ctx, j)
		cancel()
		if errors.Is(err, context.Canceled) && n%5 == 0 {
			continue
		}
		answered++
		for _, item := range j.Items {
			if err != nil || item.Out.Vector[0] != float32(2*item.IDs[0]) {
				t.Errorf("client %d request %d: %v, %v", client, n, item.Out.Vector, err)
			}
		}
	}
	return answered
}
