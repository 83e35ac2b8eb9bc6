package batch

import (
	"context"
	"time"
)

// request is a job on its way. All fields but ctx and done are guarded by the
// lane's mutex; report and err do not change after done is closed.
type request struct {
	ctx     context.Context
	arrived time.Time
	begun   time.Time // when its first text was taken; zero while all wait
	travels Report    // of the largest batch so far

	unfinished int // texts that have not left the engine
	answered   bool
	report     Report
	err        error
	done       chan struct{} // closed by the answer
}

// ended tells whether the client has left or the deadline has passed, even if
// the context's own timer has not fired yet.
func (r *request) ended(now time.Time) bool {
	if r.answered || r.ctx.Err() != nil {
		return true
	}
	deadline, ok := r.ctx.Deadline()
	return ok && !now.Before(deadline)
}

// endError is the reason of an ended request.
func (r *request) endError() error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return context.DeadlineExceeded
}

func (r *request) begin(now time.Time) {
	if r.begun.IsZero() {
		r.begun = now
	}
}

// travelled notes that some of its texts were in a batch of that size.
func (r *request) travelled(b BatchReport, texts int) {
	r.unfinished -= texts
	if b.Texts > r.travels.Texts {
		r.travels.Requests, r.travels.Texts, r.travels.Tokens = b.Requests, b.Texts, b.Tokens
	}
}

// reportAt is the report of a request that is answered now.
func (r *request) reportAt(now time.Time) Report {
	report := r.travels
	if r.begun.IsZero() {
		report.Queued = now.Sub(r.arrived)
		return report
	}
	report.Queued = r.begun.Sub(r.arrived)
	report.Inference = now.Sub(r.begun)
	return report
}
