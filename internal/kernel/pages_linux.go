package kernel

import "golang.org/x/sys/unix"

// mapPages returns zeroed memory outside Go's heap, in huge pages if the system has
// some to give; on Go's heap if it refuses.
func mapPages(n int) []byte {
	pages, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return make([]byte, n)
	}
	_ = unix.Madvise(pages, unix.MADV_HUGEPAGE) // a wish: small pages do as well
	return pages
}

// unmapPages gives memory of mapPages back. That on Go's heap is unknown to Munmap,
// whose refusal leaves it to the garbage collector.
func unmapPages(pages []byte) { _ = unix.Munmap(pages) }
