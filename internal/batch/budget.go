package batch

import "time"

// Budget fills a batch up to a number of tokens, as text-embeddings-inference
// does (core/src/queue.rs): as soon as the engine is free it takes the oldest
// texts that fit. There each text is a queue entry, and a "request" of
// max_batch_requests is one text.
type Budget struct {
	Tokens     int // max_batch_tokens
	Texts      int // max_batch_requests
	Concurrent int // max_concurrent_requests: requests accepted and not yet answered; another is refused
}

// Name is "budget".
func (Budget) Name() string { return "budget" }

// Limits allow one batch in the engine.
func (b Budget) Limits() Limits {
	return Limits{InFlight: 1, Accepted: b.Concurrent, RunTexts: b.Texts}
}

// Next takes what fits and never waits.
func (b Budget) Next(s State, _ time.Time) Decision {
	return take(fill(s.Waiting, b.Tokens, b.Texts))
}
