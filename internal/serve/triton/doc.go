// Package triton serves the models of a repository as the Triton Inference
// Server does: over KServe v2 on HTTP and gRPC, with its statistics, its metrics
// and its control of the repository.
//
// It is not aware of what engine runs or where weights come from (Options.Open
// gives it models that are open), nor of what an HTTP body looks like (the
// dialect kserve is).
//
// Invariants: a model that is replaced or unloaded answers every request that it
// has accepted; a request is checked in full before anything is computed; the
// rows of a batch do not affect each other.
package triton
