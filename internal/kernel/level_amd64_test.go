//go:build amd64 && !purego

package kernel

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	for _, make := range []func() *Set{newAVX2, newAVX2VNNI, newAVX512, newAVX512VNNI} {
		if s := make(); s.Best() != Int16 {
			t.Errorf("level %s: best is %s", s.Level(), s.Best())
		}
	}
}

// TestAVX2NeedsNoMore: assembly of the levels below avx512 has none of AVX-512's
// instructions, nor one of its encodings. A processor that has it would run them.
func TestAVX2NeedsNoMore(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("avx2*_amd64.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("assembly for AVX2: %v, %v", files, err)
	}
	const evexPrefix = "0x62"
	beyond := regexp.MustCompile(`(?m)^// Requires: .*AVX512.*$|\bZ\d+\b|\bY(1[6-9]|2\d|3[01])\b|^\tBYTE \$` + evexPrefix + `.*$`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if m := beyond.Find(text); m != nil {
			t.Errorf("%s: %s", file, m)
		}
	}
}

// TestVNNIAtAnyWidth: integers' products of 256 bits are those of 512, bit for bit.
func TestVNNIAtAnyWidth(t *testing.T) {
	t.Parallel()
	if levels := Levels(); !slices.Contains(levels, AVX2VNNI) || !slices.Contains(levels, AVX512VNNI) {
		t.Skipf("this processor has not both; levels: %v", levels)
	}
	r := rand.New(rand.NewPCG(8, 1))
	const rows, in, out = 13, 1030, 70
	x, w, bias := NewMatrix(random(r, rows*in), rows, in), NewMatrix(random(r, out*in), out, in), random(r, out)
	for _, d := range []DType{Int16, Int8, Int8GELU} {
		var results [][]float32
		for _, s := range []*Set{newAVX2VNNI(), newAVX512VNNI()} {
			y := NewMatrix(make([]float32, rows*out), rows, out)
			s.NewCore().Linear(y, prepare(s, x, d), s.Pack(nil, w, bias, d), Identity)
			results = append(results, y.Data)
		}
		if err := sameBits(results[0], results[1]); err != nil {
			t.Errorf("%s: %v", d, err)
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
