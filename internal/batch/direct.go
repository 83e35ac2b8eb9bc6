package batch

import "time"

// Direct computes each request by itself, as a service without a batcher does
// (LangChain's HuggingFaceEmbeddings behind a route): no text travels with
// another request's. Requests compete for the engine; there is no shared batch.
type Direct struct {
	Texts      int // texts the engine gets at once: encode's batch_size
	Concurrent int // requests in the engine at once; 0: Options.Parallel
	Queue      int // requests that may wait for it; another is refused
}

// Name is "direct".
func (Direct) Name() string { return "direct" }

// Limits allow a batch, that is a request, per Concurrent.
func (d Direct) Limits() Limits {
	return Limits{InFlight: d.Concurrent, Waiting: d.Queue, RunTexts: d.Texts}
}

// Next takes the oldest request, whole.
func (d Direct) Next(s State, _ time.Time) Decision {
	return take(len(s.Waiting[0].Items))
}
