package stack

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestInstructions holds what this package finds to what the system's kernel says.
func TestInstructions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip("this system has no /proc/cpuinfo to compare with")
	}
	flags := strings.Fields(string(text))
	for name, have := range instructions {
		if want := slices.Contains(flags, name); have != want {
			t.Errorf("%s: %v, the kernel says %v", name, have, want)
		}
	}
}

// TestExamineInstructions: what a processor lacks is a finding with its way out, and
// none where a GPU computes.
func TestExamineInstructions(t *testing.T) {
	t.Parallel()
	h, d := Home{t.TempDir()}, definition(t)
	d.Needs = Needs{Instructions: []string{"avx2"}}
	findings, err := h.Examine(t.Context(), d, false, "")
	if err != nil || len(findings) != 1 || !strings.Contains(findings[0].What, "avx2") {
		t.Errorf("%+v, %v", findings, err)
	}
	if findings, err := h.Examine(t.Context(), d, true, ""); err != nil || len(findings) != 0 {
		t.Errorf("with a GPU: %+v, %v", findings, err)
	}
	if f := examineInstructions("avx2", false); f.Met || f.Found == "" || f.Remedy == "" {
		t.Errorf("a lack: %+v", f)
	}
	if f := examineInstructions("avx2", true); !f.Met || f.Found == "" || f.Remedy != "" {
		t.Errorf("no lack: %+v", f)
	}
}
