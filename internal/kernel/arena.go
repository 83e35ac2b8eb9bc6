package kernel

import (
	"sync"
	"unsafe"
)

// Arena is memory for packed weights, outside the garbage collector's heap where
// the system allows it: many megabytes that live as long as their model would
// otherwise let as much garbage pile up before it is collected. It lies in huge
// pages where the system gives them, which spares a request alone, for which every
// weight is read once, most of its page walks. A nil Arena is the collector's heap.
// Its methods are safe for concurrent use.
type Arena struct {
	mu     sync.Mutex
	chunks [][]byte
	free   []byte // what is left of the last chunk
}

// chunkBytes is a multiple of a huge page, which is 2 MiB on x86-64 and arm64.
const chunkBytes = 8 << 20

// floats returns n zeros. In an Arena they begin at a cache line.
func (a *Arena) floats(n int) []float32 {
	if a == nil || n == 0 {
		return make([]float32, n)
	}
	size := roundUp(4*n, 64)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.free) < size {
		a.free = mapPages(roundUp(size, chunkBytes))
		a.chunks = append(a.chunks, a.free)
	}
	x := unsafe.Slice((*float32)(unsafe.Pointer(&a.free[0])), n)
	a.free = a.free[size:]
	return x[:n:n]
}

// Bytes is the memory that the arena takes.
func (a *Arena) Bytes() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	var n int64
	for _, c := range a.chunks {
		n += int64(len(c))
	}
	return n
}

// Free gives the memory back. No weights packed into the arena may be used after it.
func (a *Arena) Free() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.chunks {
		unmapPages(c)
	}
	a.chunks, a.free = nil, nil
}
