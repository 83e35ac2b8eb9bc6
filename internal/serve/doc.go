// Package serve is the HTTP server: it admits requests, has them understood by
// a dialect, tokenised by the model's pipeline on the request's own goroutine,
// computed by a batch queue, and written by the dialect; and it starts, watches
// and ends all that.
//
// It is not aware of what engine runs, where a model came from, or of any
// dialect's words.
//
// Invariants: what is refused is refused before it costs memory or arithmetic;
// every accepted request is answered, also when the server is told to stop; the
// memory that requests hold is bounded by Limits; nothing of one request is
// applied to another that travels in the same batch.
package serve
