package cpu

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paceline/paceline/internal/model"
)

// runner takes one block of a batch through the model, with whatever hands join its
// team, or lends a hand to another's. Each worker has its own.
type runner interface {
	run(b *model.Batch, blk block, t *team)
	help(t *team, leave func() bool)
}

// queue shares workers between jobs: whoever is free takes the next block of the
// job whose turn it is or, when all blocks are begun, helps with one.
type queue struct {
	mu      sync.Mutex
	work    sync.Cond    // a job came, or the queue closed
	waiting atomic.Int32 // len(jobs), for those who look without the lock
	teams   []*team      // of the blocks that workers are in
	hands   handsFunc
	ledger  ledger
	jobs    []*job // those with blocks nobody has begun; the first one's turn is next
	closed  bool
	workers sync.WaitGroup
	threads int
	least   int       // tokens that are worth a block
	spare   sync.Pool // of *job
}

// handsFunc is how many hands beside its worker's a block of some tokens has use for.
type handsFunc func(tokens int) int

// job is one Run call. The queue's lock guards all of it.
type job struct {
	ctx    context.Context
	batch  *model.Batch
	blocks []block
	next   int // the first block nobody has begun
	active int // blocks that workers are in
	err    error
	done   chan struct{} // receives one value when the job is over
}

func (q *queue) start(threads, least int, hands handsFunc, newRunner func() runner) {
	q.work.L = &q.mu
	q.threads, q.least, q.hands = threads, least, hands
	q.spare.New = func() any { return &job{done: make(chan struct{}, 1)} }
	for range threads {
		q.workers.Go(func() { q.serve(newRunner()) })
	}
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	for len(q.jobs) > 0 {
		q.drop(q.jobs[0], ErrClosed)
	}
	q.mu.Unlock()
	q.work.Broadcast()
	q.workers.Wait()
}

// run waits for the batch to be done. It waits for blocks already begun even when
// ctx ends, since they write into the caller's buffers.
func (q *queue) run(ctx context.Context, b *model.Batch) error {
	if err := ctx.Err(); err != nil || b.Len() == 0 {
		return err
	}
	j := q.spare.Get().(*job)
	defer q.recycle(j)
	j.ctx, j.batch, j.blocks = ctx, b, cut(j.blocks, b, q.threads, q.least)
	if !q.submit(j) {
		return ErrClosed
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		q.mu.Lock()
		q.drop(j, ctx.Err())
		q.mu.Unlock()
		<-j.done
	}
	return j.err
}

func (q *queue) recycle(j *job) {
	*j = job{blocks: j.blocks[:0], done: j.done}
	q.spare.Put(j)
}

func (q *queue) submit(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.jobs = append(q.jobs, j)
	q.waiting.Store(int32(len(q.jobs)))
	useful := len(j.blocks)
	if useful < q.threads {
		useful *= 1 + q.hands(j.tokens(j.blocks[0]))
	}
	for range min(useful, q.threads) {
		q.work.Signal()
	}
	for _, t := range q.teams {
		t.rest.rouse() // hands that rest in a team are wanted
	}
	return true
}

// drop leaves out the job's blocks that nobody has begun. The lock is held.
func (q *queue) drop(j *job, err error) {
	if j.next == len(j.blocks) {
		return
	}
	q.jobs = slices.DeleteFunc(q.jobs, func(other *job) bool { return other == j })
	q.waiting.Store(int32(len(q.jobs)))
	j.next = len(j.blocks)
	j.err = err
	j.finish()
}

// tokens is how many a block has.
func (j *job) tokens(blk block) int { return int(j.batch.Starts[blk.last] - j.batch.Starts[blk.first]) }

// finish tells the waiter once nothing is left to do. The lock is held.
func (j *job) finish() {
	if j.active == 0 && j.next == len(j.blocks) {
		j.done <- struct{}{}
	}
}

// serve is one worker's life.
func (q *queue) serve(r runner) {
	t := newTeam()
	leave := func() bool { return q.waiting.Load() > 0 }
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for len(q.jobs) == 0 {
			if q.closed {
				return
			}
			if !q.lend(r, leave) {
				q.work.Wait()
			}
		}
		j, blk := q.take()
		q.gather(t, j.tokens(blk))
		q.mu.Unlock()
		err := runBlock(r, j, blk, t)
		q.mu.Lock()
		q.part(t)
		if err != nil {
			q.drop(j, err)
			j.err = err
		}
		j.active--
		j.finish()
	}
}

// lend has r help with a block that has use for it. The lock is held, except meanwhile.
func (q *queue) lend(r runner, leave func() bool) bool {
	i := slices.IndexFunc(q.teams, func(t *team) bool { return t.hands.Load() < t.limit && !t.stalled.Load() })
	if i < 0 {
		return false
	}
	t := q.teams[i]
	t.hands.Add(1)
	core := t.core
	q.mu.Unlock()
	apart(core)
	r.help(t, leave)
	q.mu.Lock()
	t.hands.Add(-1)
	return true
}

// gather opens a team for a block of that many tokens, unless blocks are to go
// without. The lock is held.
func (q *queue) gather(t *team, tokens int) {
	t.core = currentCore()
	t.limit = int32(q.hands(tokens))
	if time.Now().Before(q.ledger.alone) {
		t.limit = 0
	}
	t.gains = gains{stake: max(q.ledger.pace, patience)}
	t.stalled.Store(t.limit == 0)
	t.open.Store(true)
	q.teams = append(q.teams, t)
}

// part dissolves a team and learns from it. The lock is held.
func (q *queue) part(t *team) {
	t.close()
	if t.gains.shared() {
		q.ledger.settle(&t.gains, time.Now())
	}
	q.teams = slices.DeleteFunc(q.teams, func(other *team) bool { return other == t })
}

// take begins the next block of the job whose turn it is and sends the job to the
// back. The lock is held and there is a job.
func (q *queue) take() (*job, block) {
	j := q.jobs[0]
	n := copy(q.jobs, q.jobs[1:])
	q.jobs = q.jobs[:n]
	blk := j.blocks[j.next]
	j.next++
	j.active++
	if j.next < len(j.blocks) {
		q.jobs = append(q.jobs, j)
	}
	q.waiting.Store(int32(len(q.jobs)))
	return j, blk
}

// runBlock turns a panic into an error: a fault of ours must not end the process
// and everyone else's requests.
func runBlock(r runner, j *job, blk block, t *team) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("engine fault: %v\n%s", p, debug.Stack())
		}
	}()
	if t.limit == 0 { // nobody will ask what it took
		r.run(j.batch, blk, t)
		return nil
	}
	t.gains.measure(func() { r.run(j.batch, blk, t) })
	return nil
}
