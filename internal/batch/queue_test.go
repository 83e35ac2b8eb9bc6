package batch

import (
	"context"
	"errors"
	"math"
	"slices"
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

// TestTextsWithoutTokens: a static embedding has none for an empty text, and its vector
// is the engine's all the same; nothing is measured by them.
func TestTextsWithoutTokens(t *testing.T) {
	t.Parallel()
	var got atomic.Int32
	q := New(runnerFunc(func(_ context.Context, b *model.Batch) error {
		got.Add(int32(b.Len()))
		return nil
	}), VLLM(), Options{})
	for _, items := range [][]Item{{{}}, {{IDs: []int32{1}}, {}}, {{}, {}}} {
		if _, err := q.Do(context.Background(), &Job{Items: items}); err != nil {
			t.Error(err)
		}
	}
	if got.Load() != 5 {
		t.Errorf("%d texts reached the engine, want 5", got.Load())
	}
	drain(t, q)
	p := &q.shared.pace
	if hint := p.retryAfter(1000, 1); math.IsNaN(p.perToken) || math.IsInf(p.perToken, 0) || hint < soonest {
		t.Errorf("%g ns a token, hint %s", p.perToken, hint)
	}
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
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := q.Do(gone, job(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that has left: %v", err)
	}
	drain(t, q)
}

// TestOverloadSaysWhatAndWhen fills each kind of bound.
// TestOnlyTheCulpritFails puts a text that breaks the engine among others.
// TestPanicTellsWhere checks that a panic's message and stack are kept.
// TestEngineStopsWhenNobodyWaits has the clients of a running batch leave one
// after another.
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

// TestHammer runs the real clock and the race detector over every profile.
// double writes each text's first id, doubled.
// hammer sends 20 requests and returns how many were answered with results.
