// Package hub speaks the protocol of the Hugging Face Hub as a client: what a
// repository holds at a revision, what a file's size and hash are, and a file's
// bytes, resumed where a connection broke.
//
// A Client never waits without end. The first contact must answer within Reach,
// later answers within Answer, a body must bring bytes every Stall; what is
// worth another try (429, 5xx, a broken connection) is tried Tries times, with
// waits that the hub's Retry-After lengthens up to a limit.
//
// The access token goes to the hub's own address alone: a redirect to storage
// on another host, port or scheme is followed without it.
//
// The package is not aware of caches, folders or models.
package hub
