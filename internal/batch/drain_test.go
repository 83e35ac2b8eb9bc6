package batch

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/model"
)

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

func double(_ context.Context, b *model.Batch) error {
	for i := range b.Len() {
		b.Out[i].Vector[0] = float32(2 * b.Sequence(i)[0])
	}
	return nil
}

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
