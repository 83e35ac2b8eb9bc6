// Package dialect is what the server's languages have in common: the request and
// the result that serve works with, and the routes by which a dialect (its
// subpackages fastapi, poc, tei, openai and cohere) turns one HTTP body into the first
// and the second into an answer.
//
// A dialect converts and nothing else. It is not aware of admission, queues,
// metrics, engines or the files of a model; it sees the server through Info and
// Stats alone. Its functions are pure: the same body gives the same request.
//
// Invariant: no body makes a decoder panic or allocate more than a small
// multiple of the body's size.
package dialect
