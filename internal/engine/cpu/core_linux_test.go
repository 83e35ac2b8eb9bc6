package cpu

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestApart: a thread leaves the core it is to be apart from, and stays free to run on
// all that it could run on before.
func TestApart(t *testing.T) {
	t.Parallel()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	if before.Count() < 2 {
		t.Skip("one core only: nothing to move to")
	}
	moved := false
	for range 100 { // the system may move the thread back at any time
		core := currentCore()
		apart(core)
		moved = moved || currentCore() != core
	}
	if !moved {
		t.Error("the thread stayed where it was, 100 times")
	}
	if err := unix.SchedGetaffinity(0, &after); err != nil || after != before {
		t.Errorf("it may run on %v afterwards, %v; want %v", after, err, before)
	}
}
