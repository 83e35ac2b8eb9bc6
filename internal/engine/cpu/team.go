package cpu

import (
	"sync/atomic"
	"time"
)

// A block is one worker's. While others have nothing to do they lend it a hand: the
// block's worker, the leader, goes through the layers by itself and cuts each step
// that is worth it into tasks, which whoever is in the team takes one by one. So
// nobody waits for a hand that comes late.
//
// On a machine with more to do than cores, cores leave in the middle of a task. What a
// team loses by that is held against what it gains: see gains.
//
// Tasks of one step write apart from each other, and each computes its elements as
// the leader alone would: the result does not depend on who helped.
type team struct {
	lead    *worker
	limit   int32        // hands it has use for
	hands   atomic.Int32 // that are here
	open    atomic.Bool  // until the block is done
	stalled atomic.Bool  // the leader goes on alone
	core    int          // that the leader was on when it began
	gains   gains
	rest    rest

	step  uint32
	state atomic.Uint64 // step, tasks of the step, next task: 32, 16 and 16 bits
	done  atomic.Int32  // tasks done of the step
	task  task          // the step's; read by who has claimed a task of it
	fault atomic.Pointer[any]
}

// task is one of a step's tasks: me does it with its own scratch, for lead's block.
type task func(lead, me *worker, i int)

// most is how many tasks a step may have.
const most = 1<<16 - 1

func newTeam() *team {
	t := &team{}
	t.rest.wake.L = &t.rest.mu
	return t
}

// share runs tasks 0, …, n-1 and returns when all are done.
func (t *team) share(n int, f task) {
	if n == 1 || n > most || t.hands.Load() == 0 || t.stalled.Load() {
		for i := range n {
			f(t.lead, t.lead, i)
		}
		t.gains.add(n, n, 0)
		return
	}
	own, worked := t.publish(n, f), time.Now()
	t.rest.until(func() bool { return t.done.Load() == int32(n) })
	t.gains.add(own, n, time.Since(worked))
	if t.gains.spent() {
		t.stalled.Store(true)
		t.rest.rouse()
	}
	if p := t.fault.Swap(nil); p != nil {
		panic(*p)
	}
}

// publish makes a step's tasks known and does what it can get of them, so many.
func (t *team) publish(n int, f task) (own int) {
	t.task = f
	t.done.Store(0)
	t.step++
	t.state.Store(uint64(t.step)<<32 | uint64(n)<<16)
	t.rest.rouse()
	for t.takeOne(t.lead) {
		own++
	}
	return own
}

// left tells whether the step has tasks that nobody has taken.
func (t *team) left() bool {
	s := t.state.Load()
	return s&most < s>>16&most
}

// takeOne does the next task, if there is one left.
func (t *team) takeOne(me *worker) bool {
	for {
		s := t.state.Load()
		next, n := s&most, s>>16&most
		if next >= n {
			return false
		}
		if t.state.CompareAndSwap(s, s+1) {
			t.perform(me, int(next), int32(n))
			return true
		}
	}
}

// perform keeps a panic for the leader: others may still be writing.
func (t *team) perform(me *worker, i int, n int32) {
	defer func() {
		if p := recover(); p != nil {
			fault := p // p itself would be on the heap for every task
			t.fault.Store(&fault)
		}
		if t.done.Add(1) == n {
			t.rest.rouse()
		}
	}()
	t.task(t.lead, me, i)
}

// help takes tasks until the block is done or leave tells to go.
func (t *team) help(me *worker, leave func() bool) {
	over := func() bool { return !t.open.Load() || t.stalled.Load() || leave() }
	for !over() {
		for t.takeOne(me) && !leave() {
		}
		t.rest.until(func() bool { return t.left() || over() })
	}
}

// close sends the hands away.
func (t *team) close() {
	t.open.Store(false)
	t.rest.rouse()
}
