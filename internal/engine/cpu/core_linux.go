package cpu

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// currentCore is the core that the calling thread runs on.
func currentCore() int {
	var core uint32
	unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&core)), 0, 0)
	return int(core)
}

// currentThread tells threads apart.
func currentThread() int { return unix.Gettid() }

// apart moves the calling thread to another core if it is on that one. Where Linux does
// not know which cores share a cache, as on many virtual machines, it wakes a thread
// where it last ran or where it was woken from, idle cores or not, and two threads that
// should work side by side take turns on one core until the next balancing, for some
// milliseconds: several short requests long.
func apart(core int) {
	if currentCore() != core {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all unix.CPUSet
	if unix.SchedGetaffinity(0, &all) != nil || all.Count() < 2 {
		return
	}
	others := all
	others.Clear(core)
	if unix.SchedSetaffinity(0, &others) == nil {
		unix.SchedSetaffinity(0, &all) // it may go where it likes again
	}
}
