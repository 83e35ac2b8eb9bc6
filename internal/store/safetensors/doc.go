// Package safetensors opens checkpoints in the safetensors format: one file, or
// the shards that model.safetensors.index.json names. Files are memory-mapped
// where the system can and read whole elsewhere; nothing is copied or converted.
//
// Format (the reference is the safetensors project's README and its Rust
// crate): eight bytes, little-endian, give the header's length N; N bytes of
// JSON map each tensor's name to its dtype, shape and [begin, end) in the bytes
// that follow; "__metadata__" maps strings to strings.
//
// Invariants: a *Set exists only after every header has been checked, so each
// tensor lies within its file, is exactly as long as its shape says, and shares
// no byte with another; the data has no holes, which leaves no room for a
// second format inside the file. What is wrong with a file is a *FormatError,
// never a panic.
//
// A file must not be shortened while it is mapped: reading a page that no longer
// exists ends the process, in Go as in C. The model caches replace files by
// renaming and never rewrite one, so this happens only to a file someone edits
// in place. Set.Tensor looks at the size once more before it gives a tensor away;
// what happens after that cannot be prevented.
//
// The package is not aware of models, of where files come from, or of what the
// tensors mean. Tensor data may start at any address: the format asks for no
// alignment, so readers must not assume one.
package safetensors
