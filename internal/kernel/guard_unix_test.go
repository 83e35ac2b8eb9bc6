//go:build unix

package kernel

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
	"unsafe"
)

// guarded returns n random values that end where unreadable memory begins.
func guarded(t *testing.T, r *rand.Rand, n int) []float32 {
	t.Helper()
	page := os.Getpagesize()
	size := (4*n + page - 1) / page * page
	whole, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(whole) })
	if err := syscall.Mprotect(whole[size:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	all := unsafe.Slice((*float32)(unsafe.Pointer(&whole[0])), size/4)
	x := all[len(all)-n:]
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// faults tells whether f touches memory that it must not.
func faults(f func()) (fault any) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { fault = recover() }()
	f()
	return nil
}

// TestNothingIsReadPastTheEnd complements the canaries, which see writes only.
func TestNothingIsReadPastTheEnd(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(4, 1))
		for name, run := range vectorCases {
			for n := range 40 {
				x, y, gamma, beta := guarded(t, r, n), guarded(t, r, n), guarded(t, r, n), guarded(t, r, n)
				if fault := faults(func() { run(s, x, y, gamma, beta) }); fault != nil {
					t.Fatalf("%s of %d elements: %v", name, n, fault)
				}
			}
		}
		core := s.NewCore()
		for rows := 1; rows < 26; rows += 3 {
			x, dst := NewMatrix(guarded(t, r, rows*19), rows, 19), NewMatrix(guarded(t, r, rows*67), rows, 67)
			q, out := NewMatrix(guarded(t, r, rows*32), rows, 32), NewMatrix(guarded(t, r, rows*32), rows, 32)
			fault := faults(func() {
				for _, d := range s.DTypes() {
					w := s.Pack(nil, NewMatrix(guarded(t, r, 67*19), 67, 19), guarded(t, r, 67), d)
					core.Linear(dst, prepare(s, x, d), w, GELU)
					core.LinearAdd(dst, prepare(s, x, d), w, dst)
				}
				core.Attention(out, q, q, q)
			})
			if fault != nil {
				t.Fatalf("%d rows: %v", rows, fault)
			}
		}
	})
}

func TestGuardsSeeReads(t *testing.T) {
	t.Parallel()
	x := guarded(t, rand.New(rand.NewPCG(4, 2)), 5)
	past := unsafe.Slice(&x[0], 6)
	if faults(func() { past[4]++ }) != nil {
		t.Error("the last element faulted")
	}
	if faults(func() { past[5]++ }) == nil {
		t.Error("an element past the end did not fault")
	}
}
