// Package cpu runs any model.Spec whose choices it implements on the processor's
// vector units.
//
// Weights are packed once for the machine's level and shared. A batch is cut into
// blocks of whole sequences, a few hundred tokens each; one worker takes a block
// through all layers by itself, without padding and without waiting for another.
// Concurrent Run calls share the workers block by block in turn.
//
// The package is not aware of texts, tokenizers, requests or the policy that formed
// a batch.
//
// Invariants:
//   - A sequence's result is the same, bit for bit, whatever it is batched with and
//     however many workers there are, at a given level and dtype.
//   - When Run returns, nothing writes to its batch's outputs any more.
//   - After the first batches have sized the scratch, Run allocates nothing.
package cpu
