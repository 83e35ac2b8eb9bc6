//go:build !linux

package kernel

// mapPages returns zeroed memory, on Go's heap.
func mapPages(n int) []byte { return make([]byte, n) }

// unmapPages leaves the memory to the garbage collector.
func unmapPages([]byte) {}
