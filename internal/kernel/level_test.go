package kernel

import (
	"flag"
	"math"
	"strings"
	"testing"
)

var seeds = flag.Int("seeds", 20, "how many problems TestEveryLevelPassesItsCheck draws")

// TestEveryLevelPassesItsCheck on whatever problem: its tolerances are no matter of
// luck with one seed.
func TestEveryLevelPassesItsCheck(t *testing.T) {
	t.Parallel()
	eachLevel(t, func(t *testing.T, s *Set) {
		for seed := range *seeds {
			if err := checkSeed(s, uint64(seed+1)); err != nil {
				t.Errorf("seed %d: %v", seed+1, err)
			}
		}
	})
}

// TestCheckSeesWrongKernels proves that the check at load can fail, kernel by kernel.
func TestCheckSeesWrongKernels(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Set){
		"a product without its last step": func(s *Set) {
			t := s.linear[Float32].tiles
			mul := t.tiles[0].mul
			t.tiles = []tile{{t.tiles[0].rows, func(c, a, b, bias, add []float32, k, ldc, lda, ldb, ldadd, tiles, pace int) {
				mul(c, a, b, bias, add, k-1, ldc, lda, ldb, ldadd, tiles, pace)
			}}}
			s.linear[Float32] = &arithmetic{tiles: t}
		},
		"bfloat16 cut off": func(s *Set) {
			a := *s.linear[BFloat16]
			encode := a.encode
			a.encodeRows = nil
			a.encode = func(dst, x []float32, inverse float32) {
				y := make([]float32, len(x))
				for i, v := range x {
					y[i] = math.Float32frombits(math.Float32bits(v) &^ 0xffff)
				}
				encode(dst, y, inverse)
			}
			s.linear[BFloat16] = &a
		},
		"integers cut off": func(s *Set) {
			a := *s.linear[Int16]
			a.encode = func(dst, x []float32, inverse float32) {
				pairs(dst, x, func(v float32) uint16 { return uint16(int16(v * inverse)) })
			}
			s.linear[Int16] = &a
		},
		"GELU by tanh": func(s *Set) {
			s.vector.gelu = func(x []float32, rows, cols, stride int) { mapRows(x, rows, cols, stride, geluTanh) }
		},
		"no deviation":      func(s *Set) { s.vector.deviation = func([]float32, float32) float32 { return 1 } },
		"no maximum":        func(s *Set) { s.vector.exp2Sum = func([]float32, float32) float32 { return 1 } },
		"no scaling":        func(s *Set) { s.vector.scale = func([]float32, float32) {} },
		"no addition":       func(s *Set) { s.vector.add = func([]float32, []float32) {} },
		"no multiplication": func(s *Set) { s.vector.multiply = func(_, _, _ []float32) {} },
		"bfloat16 attention cut off": func(s *Set) {
			a := *s.attend[BFloat16]
			a.narrow = func(dst, x []float32, rows, cols, ldd, stride int) {
				for r := range rows {
					pairs(dst[r*ldd:], x[r*stride:][:cols], func(v float32) uint16 { return uint16(math.Float32bits(v) >> 16) })
				}
			}
			s.attend[BFloat16] = &a
		},
		"a dot of 0": func(s *Set) { s.vector.dot = func([]float32, []float32) float32 { return 0 } },
	} {
		s := generic()
		spoil(s)
		if check(s) == nil {
			t.Errorf("%s passed the check", name)
		}
		got := firstSound([]rung{{Generic, generic}, {"spoilt", func() *Set { return s }}})
		if got.Level() != Generic {
			t.Errorf("%s: level %s was kept", name, got.Level())
		}
	}
}

func TestOpen(t *testing.T) {
	levels := Levels()
	for _, want := range levels {
		t.Setenv(Variable, string(want))
		if s, err := Open(""); err != nil || s.Level() != want {
			t.Errorf("%s=%s: %v, %v", Variable, want, s, err)
		}
	}
	t.Setenv(Variable, "")
	if s, err := Open(""); err != nil || s.Level() != levels[len(levels)-1] {
		t.Errorf("without %s: %v, %v", Variable, s, err)
	}
	t.Setenv(Variable, "z80")
	if _, err := Open(""); err == nil || !strings.Contains(err.Error(), string(Generic)) || !strings.Contains(err.Error(), "z80") {
		t.Errorf("an unknown level: %v", err)
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, r := range ladder() {
		b.Run(string(r.level), func(b *testing.B) {
			for b.Loop() {
				if err := check(r.make()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
