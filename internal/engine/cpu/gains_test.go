package cpu

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestGains: a team is worth what its leader would have needed for all tasks, less what
// the block took.
func TestGains(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	type step struct{ own, n int }
	for _, c := range []struct {
		name        string
		steps       []step
		took, ran   time.Duration
		shared      bool
		alone, lost time.Duration
	}{
		{"no steps", nil, 2 * ms, 2 * ms, false, 2 * ms, 0},
		{"nobody came", []step{{6, 6}, {1, 1}}, 2 * ms, 2 * ms, false, 2 * ms, 0},
		{"a hand as quick as the leader", []step{{3, 6}, {4, 8}}, 3 * ms, 3 * ms, true, 6 * ms, -3 * ms},
		{"it came late", []step{{6, 6}, {3, 6}}, 3 * ms, 3 * ms, true, 4 * ms, -1 * ms},
		{"it went away amid a task", []step{{3, 6}, {3, 6}}, 15 * ms, 3 * ms, true, 6 * ms, 9 * ms},
		{"it took turns with the leader on one core", []step{{4, 8}, {4, 8}}, 6 * ms, 3 * ms, true, 6 * ms, 0},
		{"all tasks were done by others", []step{{0, 6}}, 2 * ms, 1 * ms, true, 1 * ms, 1 * ms},
	} {
		g := gains{took: c.took, ran: c.ran}
		for _, s := range c.steps {
			g.add(s.own, s.n, 0)
		}
		if g.shared() != c.shared || g.alone() != c.alone || g.lost() != c.lost {
			t.Errorf("%s: shared %v, alone %v, lost %v; want %v, %v, %v", c.name, g.shared(), g.alone(), g.lost(), c.shared, c.alone, c.lost)
		}
	}
}

// TestWaitsAreLimited: by the stake, over all steps of a block.
func TestWaitsAreLimited(t *testing.T) {
	t.Parallel()
	g := gains{stake: 8 * time.Millisecond}
	g.add(3, 6, 5*time.Millisecond)
	if g.spent() {
		t.Error("spent after 5 of 8 ms")
	}
	g.add(3, 6, 5*time.Millisecond)
	if !g.spent() {
		t.Error("not spent after 10 of 8 ms")
	}
}

// TestLedger: gains are kept as credit up to a limit, losses are taken from it, and what
// is lost beyond sends blocks alone for a multiple of it, a larger one each time.
func TestLedger(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	gain := gains{steps: 1, own: 0.5, took: 6 * ms, ran: 5 * ms} // 10 ms alone, so 4 gained
	loss := func(lost time.Duration) gains { return gains{took: 10*ms + lost, ran: 10 * ms} }
	for _, c := range []struct {
		name   string
		blocks []gains
		alone  time.Duration
		credit time.Duration
	}{
		{"a gain", []gains{gain}, 0, ms},
		{"a loss that gains outweigh", []gains{gain, gain, gain, loss(2 * ms)}, 0, ms},
		{"a loss that they do not", []gains{gain, loss(3 * ms)}, leastPenalty * 2 * ms, 0},
		{"another", []gains{loss(3 * ms), loss(3 * ms), gain, loss(3 * ms)}, 4 * leastPenalty * 2 * ms, 0},
		{"losses as small as a short wait", []gains{loss(patience / 2), loss(patience / 2)}, 0, -patience},
	} {
		l, now := ledger{pace: 10 * ms}, time.Now()
		for _, g := range c.blocks {
			l.settle(&g, now)
		}
		if l.credit != c.credit || max(l.alone.Sub(now), 0) != c.alone {
			t.Errorf("%s: credit %v, alone for %v; want %v, %v", c.name, l.credit, l.alone.Sub(now), c.credit, c.alone)
		}
	}
	l := ledger{pace: 10 * ms, penalty: mostPenalty}
	for range 1000 {
		l.settle(&gain, time.Now())
	}
	if l.credit != creditPaces*10*ms {
		t.Errorf("the credit of a thousand gains is %v; want %v", l.credit, creditPaces*10*ms)
	}
	now := time.Now()
	g := loss(l.credit + 3*ms)
	if l.settle(&g, now); l.alone.Sub(now) != leastPenalty*3*ms {
		t.Errorf("a loss after them sends blocks alone for %v; want %v", l.alone.Sub(now), leastPenalty*3*ms)
	}
}

// TestAloneAfterALoss: blocks have no team until that time is over.
func TestAloneAfterALoss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, tm := &queue{hands: func(int) int { return 3 }}, newTeam()
		hands := func() int32 {
			q.gather(tm, 100)
			defer q.part(tm)
			return tm.limit
		}
		if n := hands(); n != 3 {
			t.Fatalf("the first block has use for %d hands; want 3", n)
		}
		q.ledger.alone = time.Now().Add(time.Second)
		for _, c := range []struct {
			later time.Duration
			want  int32
		}{{0, 0}, {time.Second - 1, 0}, {1, 3}} {
			time.Sleep(c.later) // of the bubble's clock
			if n := hands(); n != c.want {
				t.Errorf("%v later a block has use for %d hands; want %d", c.later, n, c.want)
			}
		}
	})
}

// TestRest: a wait that is long goes to sleep, and is roused.
func TestRest(t *testing.T) {
	t.Parallel()
	r, ready, returned := &newTeam().rest, atomic.Bool{}, make(chan struct{})
	go func() { r.until(ready.Load); close(returned) }()
	for r.asleep.Load() == 0 {
		runtime.Gosched()
	}
	r.rouse()
	select {
	case <-returned:
		t.Error("it woke for nothing")
	default:
	}
	ready.Store(true)
	r.rouse()
	<-returned
	if n := r.asleep.Load(); n != 0 {
		t.Errorf("%d are still asleep", n)
	}
}
