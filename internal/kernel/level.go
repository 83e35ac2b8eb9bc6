package kernel

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
)

// Level names a rung of the ladder of instruction sets.
type Level string

// The levels, lowest first. A level needs the processor's instructions and the
// operating system's permission to use their registers.
const (
	Generic  Level = "generic"  // plain Go
	AVX2     Level = "avx2"     // x86-64 with AVX2 and FMA
	AVX2VNNI Level = "avx2vnni" // avx2 and AVX-VNNI, which is VNNI on 256 bits
	AVX512   Level = "avx512"   // x86-64 with AVX-512 F, BW, DQ and VL

	AVX512VNNI Level = "avx512vnni" // avx512 and AVX512_VNNI
	AVX512BF16 Level = "avx512bf16" // avx512vnni and AVX512_BF16
	AMX        Level = "amx"        // avx512bf16 and AMX's tiles, BF16 and INT8

	NEON     Level = "neon"     // arm64
	NEONDot  Level = "neondot"  // neon and DotProd (Armv8.2)
	NEONI8MM Level = "neoni8mm" // neondot and I8MM (Armv8.6)
	NEONBF16 Level = "neonbf16" // neoni8mm and BF16 (Armv8.6)
)

// Variable is the environment variable that forces a level.
const Variable = "PACELINE_CPU"

// rung is a level that this machine has.
type rung struct {
	level Level
	make  func() *Set
}

// ladder lists the rungs of this machine, lowest first. The first is Generic.
func ladder() []rung {
	return append([]rung{{Generic, generic}}, machineRungs()...)
}

// Levels lists the levels that this machine has, lowest first.
func Levels() []Level {
	var levels []Level
	for _, r := range ladder() {
		levels = append(levels, r.level)
	}
	return levels
}

// Open returns the kernels of a level; for "", those of the level that the
// environment variable PACELINE_CPU names or, without it, of the highest level that
// the machine has. A level that this machine lacks is an error that lists those it has.
//
// The kernels were compared with the reference on a known answer. A level whose
// kernels disagree is left for the next lower one, with a warning.
func Open(level Level) (*Set, error) {
	if level == "" {
		level = Level(os.Getenv(Variable))
	}
	rungs := ladder()
	top := len(rungs) - 1
	if level != "" {
		top = slices.IndexFunc(rungs, func(r rung) bool { return r.level == level })
		if top < 0 {
			return nil, fmt.Errorf("CPU level %q is not available on this machine; available: %s (set %s to one of them, or leave it empty for the best)", level, names(rungs), Variable)
		}
	}
	return firstSound(rungs[:top+1]), nil
}

// firstSound returns the highest rung's kernels that pass the check. The generic
// ones are the reference and need none.
func firstSound(rungs []rung) *Set {
	for _, r := range slices.Backward(rungs[1:]) {
		s := r.make()
		err := check(s)
		if err == nil {
			return s
		}
		slog.Warn("CPU level left: its kernels disagree with the reference on this machine", "level", string(r.level), "cause", err)
	}
	return generic()
}

func names(rungs []rung) string {
	var list []string
	for _, r := range rungs {
		list = append(list, string(r.level))
	}
	return strings.Join(list, ", ")
}
