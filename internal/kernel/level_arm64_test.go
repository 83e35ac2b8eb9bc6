//go:build !purego

package kernel

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

var reported = flag.String("features", "", "what the processor has, as /proc/cpuinfo names it, where that file is another machine's: under an emulator")

// TestLevelsAreThoseReported holds the levels to the processor's features: one that is
// there and was not found would otherwise go untested.
func TestLevelsAreThoseReported(t *testing.T) {
	t.Parallel()
	text := *reported
	if text == "" {
		info, err := os.ReadFile("/proc/cpuinfo")
		if err != nil {
			t.Skipf("no list of the processor's features: %v", err)
		}
		text = string(info)
	}
	features := strings.Fields(text)
	for level, needed := range map[Level][]string{
		NEON:     {"asimd"},
		NEONDot:  {"asimd", "asimddp"},
		NEONI8MM: {"asimd", "asimddp", "i8mm"},
		NEONBF16: {"asimd", "asimddp", "i8mm", "bf16"},
	} {
		has := !slices.ContainsFunc(needed, func(f string) bool { return !slices.Contains(features, f) })
		if has != slices.Contains(Levels(), level) {
			t.Errorf("level %s: the processor has it: %v; levels found: %v", level, has, Levels())
		}
	}
}
