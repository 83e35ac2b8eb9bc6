// Package batch decides which texts reach the engine together. A Queue takes
// requests of any size, a Policy says when a batch is formed and what goes into
// it, and the batch runs as flat model.Batch calls of bounded size on a Runner.
//
// It sees token ids, never text; it knows no engine, no wire and no metrics
// system. Making ids and finishing vectors (normalising, cutting) is done by
// those who call it, on their own goroutines.
//
// Invariants, each held by a property test over random arrivals and all
// policies:
//
//   - every accepted request is answered exactly once, and every text of an
//     answered request went through the engine exactly once, unless its batch
//     failed and it was tried again alone;
//   - requests of one level enter the engine in the order in which they were
//     accepted (all are of one level unless the policy is Ranked), and with
//     Limits.Turns none waits for the whole of a request that needs several
//     batches;
//   - requests that are refused are refused at once, and what waits is bounded in
//     requests and in tokens;
//   - a request whose context has ended is not computed if it is not yet in the
//     engine, and a batch that all its requests have left is cancelled;
//   - after Drain no goroutine is left.
package batch
