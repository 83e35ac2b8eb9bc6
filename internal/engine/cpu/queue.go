package cpu

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/paceline/paceline/internal/model"
)

// runner takes one block of a batch through the model. Each worker has its own.
type runner interface {
	run(b *model.Batch, blk block)
}

// queue shares workers between jobs: whoever is free takes the next block of the
// job whose turn it is.
type queue struct {
	mu      sync.Mutex
	work    sync.Cond // a job came, or the queue closed
	jobs    []*job    // those with blocks nobody has begun; the first one's turn is next
	closed  bool
	workers sync.WaitGroup
	threads int
	spare   sync.Pool // of *job
}

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

func (q *queue) start(threads int, newRunner func() runner) {
	q.work.L = &q.mu
	q.threads = threads
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
	j.ctx, j.batch, j.blocks = ctx, b, cut(j.blocks, b, q.threads)
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
	for range min(len(j.blocks), q.threads) {
		q.work.Signal()
	}
	return true
}

// drop leaves out the job's blocks that nobody has begun. The lock is held.
func (q *queue) drop(j *job, err error) {
	if j.next == len(j.blocks) {
		return
	}
	q.jobs = slices.DeleteFunc(q.jobs, func(other *job) bool { return other == j })
	j.next = len(j.blocks)
	j.err = err
	j.finish()
}

// finish tells the waiter once nothing is left to do. The lock is held.
func (j *job) finish() {
	if j.active == 0 && j.next == len(j.blocks) {
		j.done <- struct{}{}
	}
}

// serve is one worker's life.
func (q *queue) serve(r runner) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for len(q.jobs) == 0 {
			if q.closed {
				return
			}
			q.work.Wait()
		}
		j, blk := q.take()
		q.mu.Unlock()
		err := runBlock(r, j, blk)
		q.mu.Lock()
		if err != nil {
			q.drop(j, err)
			j.err = err
		}
		j.active--
		j.finish()
	}
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
	return j, blk
}

// runBlock turns a panic into an error: a fault of ours must not end the process
// and everyone else's requests.
func runBlock(r runner, j *job, blk block) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("engine fault: %v\n%s", p, debug.Stack())
		}
	}()
	r.run(j.batch, blk)
	return nil
}
