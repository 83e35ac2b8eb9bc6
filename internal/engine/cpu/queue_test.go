package cpu

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/paceline/paceline/internal/model"
)

// runnerFunc makes a function a runner.
type runnerFunc func(b *model.Batch, blk block)

func (f runnerFunc) run(b *model.Batch, blk block, _ *team) { f(b, blk) }
func (f runnerFunc) help(*team, func() bool)                { panic("nobody asked for help") }

// blocksOf is a batch that is cut into n blocks.
func blocksOf(n int) *model.Batch {
	b := &model.Batch{}
	for range n {
		b.Append(make([]int32, blockTokens), nil, 0, model.Output{})
	}
	return b
}

func startQueue(threads int, f runnerFunc) *queue {
	q := &queue{}
	q.start(threads, leastTokens, func(int) int { return 0 }, func() runner { return f })
	return q
}

// TestTurns: two jobs on one worker take turns, block by block.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate, order := make(chan struct{}), []string{}
		names := map[*model.Batch]string{}
		q := startQueue(1, func(b *model.Batch, _ block) {
			<-gate
			order = append(order, names[b])
		})
		done := make(chan error)
		for _, name := range []string{"a", "b"} {
			b := blocksOf(3)
			names[b] = name
			go func() { done <- q.run(context.Background(), b) }()
			synctest.Wait() // a is in its first block before b comes
		}
		close(gate)
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		q.close()
		if got := strings.Join(order, ""); got != "aababb" {
			t.Errorf("blocks ran in the order %s; want aababb", got)
		}
	})
}

// TestCancelBetweenBlocks: blocks not begun are dropped, and Run waits for the one
// that is being worked on.
func TestCancelBetweenBlocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate, ran, returned := make(chan struct{}), 0, false
		q := startQueue(1, func(*model.Batch, block) { <-gate; ran++ })
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { err := q.run(ctx, blocksOf(3)); returned = true; done <- err }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if returned {
			t.Error("Run returned while a worker was in its batch")
		}
		gate <- struct{}{}
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
		if ran != 1 {
			t.Errorf("%d blocks ran; want 1", ran)
		}
		close(gate)
		q.close()
	})
}

func TestCancelledBeforeItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate, ran := make(chan struct{}), 0
		q := startQueue(1, func(*model.Batch, block) { <-gate; ran++ })
		first := make(chan error, 1)
		go func() { first <- q.run(context.Background(), blocksOf(1)) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		second := make(chan error, 1)
		go func() { second <- q.run(ctx, blocksOf(2)) }()
		synctest.Wait()
		cancel()
		if err := <-second; !errors.Is(err, context.Canceled) { // at once, the worker is still busy
			t.Errorf("the cancelled Run returned %v", err)
		}
		close(gate)
		if err := <-first; err != nil {
			t.Error(err)
		}
		q.close()
		if ran != 1 {
			t.Errorf("%d blocks ran; want 1", ran)
		}
		if err := q.run(ctx, blocksOf(1)); !errors.Is(err, context.Canceled) {
			t.Errorf("Run with an ended context returned %v", err)
		}
	})
}

// TestFault: a panic becomes the Run's error, names its cause, drops the Run's other
// blocks and harms nobody else.
func TestFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad, ran := blocksOf(3), 0
		q := startQueue(1, func(b *model.Batch, _ block) {
			ran++
			if b == bad {
				panic("a wild index")
			}
		})
		if err := q.run(context.Background(), bad); err == nil || !strings.Contains(err.Error(), "a wild index") {
			t.Errorf("the faulty Run returned %v", err)
		}
		if ran != 1 {
			t.Errorf("%d of its blocks ran; want 1", ran)
		}
		if err := q.run(context.Background(), blocksOf(2)); err != nil {
			t.Errorf("the next Run returned %v", err)
		}
		q.close()
	})
}

func TestCloseEndsWaitingRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		q := startQueue(1, func(*model.Batch, block) { <-gate })
		done := make(chan error, 1)
		go func() { done <- q.run(context.Background(), blocksOf(2)) }()
		synctest.Wait()
		go q.close()
		synctest.Wait()
		close(gate)
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("Run returned %v", err)
		}
		synctest.Wait()
	})
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		lengths []int
		workers int
		want    []block
	}{
		{"one sequence", []int{12}, 4, []block{{0, 1}}},
		{"too little to share", []int{50, 49}, 4, []block{{0, 2}}},
		{"enough for two", []int{50, 50}, 2, []block{{0, 1}, {1, 2}}},
		{"longer than a block", []int{blockTokens + 100, 10}, 1, []block{{0, 1}, {1, 2}}},
		{"two full blocks", []int{blockTokens, blockTokens}, 1, []block{{0, 1}, {1, 2}}},
		{"evenly", []int{100, 100, 100, 100}, 1, []block{{0, 2}, {2, 4}}},
	} {
		b := &model.Batch{}
		for _, n := range c.lengths {
			b.Append(make([]int32, n), nil, 0, model.Output{})
		}
		got := cut(nil, b, c.workers, 50)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v; want %v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v; want %v", c.name, got, c.want)
			}
		}
	}
}
