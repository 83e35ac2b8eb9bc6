// Package kernel is the arithmetic of a text encoder's forward pass on slices of
// float32: products with packed weights, attention over one sequence, LayerNorm,
// the vector operations between them, and the conversion of stored weights.
//
// Every kernel is defined by a plain Go implementation, the level "generic".
// Other levels replace its inner loops by assembly, are chosen at run time, and
// must agree with it; one conformance suite runs against every level that the
// machine has. The build tag purego leaves the assembly out.
//
// The package does not know models, tokens, batches or threads: it starts no
// goroutine and holds no state between calls.
//
// Invariants:
//   - An element of a result depends on its own operands alone and is summed in
//     one order, whatever tile or tail handles its row. So a row's result is the
//     same, bit for bit, whichever rows it is computed with.
//   - No call allocates, apart from those that pack weights or size scratch.
//   - Assembly reads and writes exactly the elements that its stub's comment names.
package kernel

//go:generate go -C gen run .
