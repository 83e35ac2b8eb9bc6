package cpu

import (
	"runtime"
	"sync/atomic"
	"time"
)

// A block is one worker's. While others have nothing to do they lend it a hand: the
// block's worker, the leader, goes through the layers by itself and cuts each step
// that is worth it into tasks, which whoever is in the team takes one by one. So
// nobody waits for a hand that comes late or that the system holds up, and a lone
// request uses all cores.
//
// On a machine with more to do than cores, cores leave in the middle of a task. A team
// that had to wait for one goes on as the leader alone, and the next blocks have none.
//
// Tasks of one step write apart from each other, and each computes its elements as
// the leader alone would: the result does not depend on who helped.
type team struct {
	lead    *worker
	limit   int32        // hands it has use for
	hands   atomic.Int32 // that are here
	open    atomic.Bool  // until the block is done
	stalled atomic.Bool  // somebody waited too long for another

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

// share runs tasks 0, …, n-1 and returns when all are done.
func (t *team) share(n int, f task) {
	if n == 1 || n > most || t.hands.Load() == 0 || t.stalled.Load() {
		for i := range n {
			f(t.lead, t.lead, i)
		}
		return
	}
	began := time.Now()
	t.task = f
	t.done.Store(0)
	t.step++
	t.state.Store(uint64(t.step)<<32 | uint64(n)<<16)
	for t.takeOne(t.lead) {
	}
	worked := time.Since(began)
	for spins := 0; t.done.Load() < int32(n); spins++ {
		pause(spins)
	}
	if time.Since(began) > 4*worked+patience {
		t.stalled.Store(true)
	}
	if p := t.fault.Swap(nil); p != nil {
		panic(*p)
	}
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
			t.perform(me, int(next))
			return true
		}
	}
}

// perform keeps a panic for the leader: others may still be writing.
func (t *team) perform(me *worker, i int) {
	defer func() {
		if p := recover(); p != nil {
			fault := p // p itself would be on the heap for every task
			t.fault.Store(&fault)
		}
		t.done.Add(1)
	}()
	t.task(t.lead, me, i)
}

// help takes tasks until the block is done, leave tells to go, or there is nothing to
// do for long.
func (t *team) help(me *worker, leave func() bool) {
	idle := time.Now()
	for spins := 0; t.open.Load() && !t.stalled.Load() && !leave(); spins++ {
		if t.takeOne(me) {
			spins, idle = 0, time.Now()
		}
		if pause(spins) && time.Since(idle) > 4*patience {
			t.stalled.Store(true)
		}
	}
}

// patience is how long to wait for another core: waits are a matter of microseconds,
// unless the system has given that core to somebody else.
const patience = 50 * time.Microsecond

// pause lets others have this core now and then, and tells whether it did.
func pause(spins int) bool {
	if spins%1024 != 1023 {
		return false
	}
	runtime.Gosched()
	return true
}
