//go:build race

package kernel

import (
	"runtime"
	"unsafe"
)

// The race detector does not see what assembly reads and writes; these tell it.

func raceRead(x []float32) {
	if len(x) > 0 {
		runtime.RaceReadRange(unsafe.Pointer(&x[0]), 4*len(x))
	}
}

func raceWrite(x []float32) {
	if len(x) > 0 {
		runtime.RaceWriteRange(unsafe.Pointer(&x[0]), 4*len(x))
	}
}

func raceReadMatrix(m Matrix) {
	for i := range m.Rows {
		raceRead(m.Row(i))
	}
}

func raceWriteMatrix(m Matrix) {
	for i := range m.Rows {
		raceWrite(m.Row(i))
	}
}
