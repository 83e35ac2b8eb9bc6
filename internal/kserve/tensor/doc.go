// Package tensor holds the tensors of the KServe v2 protocol as they travel in
// its binary form: row-major, little-endian, and BYTES elements each after a
// 4-byte length. Server and benchmark share it.
//
// It is not aware of HTTP, gRPC, models, or of what a tensor means.
//
// Invariant: no data makes a reader panic, and none allocates more than a small
// multiple of the data that is really there, whatever a shape or a length says.
package tensor
