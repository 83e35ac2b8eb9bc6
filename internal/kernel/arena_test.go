package kernel

import (
	"testing"
	"unsafe"
)

func TestArena(t *testing.T) {
	t.Parallel()
	var a Arena
	var pieces [][]float32
	for i, n := range []int{1, 17, 0, chunkBytes/4 - 100, 1000, chunkBytes/4 + 1, 5} {
		x := a.floats(n)
		if len(x) != n || cap(x) != n {
			t.Fatalf("%d floats asked for; length %d, capacity %d", n, len(x), cap(x))
		}
		if n > 0 && uintptr(unsafe.Pointer(&x[0]))%64 != 0 {
			t.Errorf("piece %d does not begin at a cache line", i)
		}
		for j, v := range x {
			if v != 0 {
				t.Fatalf("piece %d: element %d is %v", i, j, v)
			}
			x[j] = float32(i + 1)
		}
		pieces = append(pieces, x)
	}
	for i, x := range pieces { // nobody wrote into another's piece
		for _, v := range x {
			if v != float32(i+1) {
				t.Fatalf("piece %d holds %v", i, v)
			}
		}
	}
	a.Free()
	a.Free() // twice is no harm
	if x := (*Arena)(nil).floats(3); len(x) != 3 {
		t.Errorf("a nil arena gave %d floats", len(x))
	}
}
