//go:build !purego

package kernel

import (
	"sync"

	"golang.org/x/sys/unix"
)

// tilesPermitted asks Linux once for the use of AMX's tiles by this process, without
// which their first instruction would kill it. A kernel before 5.16 does not know the
// question; one that does refuses where it cannot save tiles
// (Documentation/arch/x86/xstate.rst).
var tilesPermitted = sync.OnceValue(func() bool {
	const requestPermission, tileData = 0x1023, 18 // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
	_, _, errno := unix.RawSyscall(unix.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return errno == 0
})
