//go:build amd64 && !purego

package kernel

import (
	"os"
	"regexp"
	"testing"
)

// TestVendorDecides: which arithmetic is the best of level avx512bf16, and whether
// attention uses it, is the processor's vendor's doing.
func TestVendorDecides(t *testing.T) {
	t.Parallel()
	for vendor, want := range map[string]DType{"AuthenticAMD": BFloat16, "GenuineIntel": Int16, "CentaurHauls": Int16, "": Int16} {
		s := newAVX512BF16Of(vendor)
		_, attends := s.attend[BFloat16]
		if s.Best() != want || attends != (want == BFloat16) {
			t.Errorf("%q: best is %s, bfloat16 in attention: %v; want %s", vendor, s.Best(), attends, want)
		}
		if _, ok := s.linear[BFloat16]; !ok {
			t.Errorf("%q: bfloat16 cannot be asked for", vendor)
		}
	}
}

// TestBest: no level below takes another arithmetic by itself than int16.
func TestBest(t *testing.T) {
	t.Parallel()
	for _, make := range []func() *Set{newAVX2, newAVX512, newAVX512VNNI} {
		if s := make(); s.Best() != Int16 {
			t.Errorf("level %s: best is %s", s.Level(), s.Best())
		}
	}
}

func TestVendor(t *testing.T) {
	t.Parallel()
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip("only Linux names its processor's vendor in /proc/cpuinfo")
	}
	m := regexp.MustCompile(`(?m)^vendor_id\s*: (.*)$`).FindSubmatch(info)
	if m == nil || vendor() != string(m[1]) {
		t.Errorf("vendor %q; /proc/cpuinfo has %q", vendor(), m)
	}
}
