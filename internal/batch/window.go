package batch

import "time"

// Window collects requests for a fixed time, as the usual asyncio batcher in
// front of a FastAPI service does: one loop opens a window, gathers what comes
// until the window closes or the batch is full, computes, and opens the next.
//
// The window opens when the loop is free, not when a request arrives. An idle
// loop opens windows back to back, so a lone request waits for what is left of
// the current one: half of Wait on average. A loop that was busy collects for a
// whole Wait again, even if requests are waiting, unless they fill the batch.
type Window struct {
	Requests int           // requests a batch, whatever the number of their texts
	Wait     time.Duration // length of a window
	Queue    int           // requests that may wait; the original lets further ones hang, here they are refused
	RunTexts int           // texts the engine gets at once: the original's encode(batch_size)
	Target   int           // reported as target_batch_size; the original's loop does not look at it, nor does Next
}

// Name is "window".
func (Window) Name() string { return "window" }

// Limits allow one batch at a time: the loop that collects is the one that computes.
func (w Window) Limits() Limits {
	return Limits{InFlight: 1, Waiting: w.Queue, RunTexts: w.RunTexts}
}

// Next takes up to Requests requests, whole, when they are that many or their
// window has closed.
func (w Window) Next(s State, now time.Time) Decision {
	n := min(len(s.Waiting), w.Requests)
	closes := w.closes(s)
	if n == w.Requests || s.Closing || !now.Before(closes) {
		return take(countTexts(s.Waiting[:n]))
	}
	return waitUntil(closes)
}

// closes is the end of the window into which the oldest request fell.
func (w Window) closes(s State) time.Time {
	if w.Wait <= 0 {
		return s.Free
	}
	idle := max(0, s.Waiting[0].Arrived.Sub(s.Free))
	return s.Free.Add((idle/w.Wait + 1) * w.Wait)
}
