package kernel

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

// measure times f by this thread's processor time and reports operations a second
// and their share of the ceiling, the rate of Peak around the same time: a shared
// machine's clock wanders.
func measure(b *testing.B, s *Set, flops float64, f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ceiling := peakRate(b, s)
	start := cpuTime(b)
	for b.Loop() {
		f()
	}
	rate := flops * float64(b.N) / (cpuTime(b) - start).Seconds()
	b.ReportMetric(rate/1e9, "GFLOP/s")
	b.ReportMetric(100*rate/max(ceiling, peakRate(b, s)), "%peak")
	b.ReportMetric(0, "ns/op")
}

// peakRate is this core's ceiling, in operations a second, measured in about 2 ms.
func peakRate(b *testing.B, s *Set) float64 {
	best := 0.0
	for range 5 {
		start := cpuTime(b)
		flops := s.Peak(8000)
		best = max(best, flops/(cpuTime(b)-start).Seconds())
	}
	return best
}

// BenchmarkLinear runs the products of MiniLM-L6: a head pair's queries, keys and
// values, the output projection, a chunk of the feed-forward.
func BenchmarkLinear(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 1))
	for _, rung := range ladder()[1:] {
		s := rung.make()
		core := s.NewCore()
		for _, shape := range []struct {
			name    string
			in, out int
			a       Activation
		}{{"qkv", 384, 192, Identity}, {"output", 384, 384, Identity}, {"up+gelu", 384, 384, GELU}, {"whole_down", 1536, 384, Identity}} {
			for _, d := range s.DTypes() {
				w := s.Pack(nil, NewMatrix(random(r, shape.out*shape.in), shape.out, shape.in), nil, d)
				for _, rows := range []int{12, 32, 96, 256} {
					var x Activations
					s.Prepare(&x, NewMatrix(random(r, rows*shape.in), rows, shape.in), d)
					y := NewMatrix(random(r, rows*shape.out), rows, shape.out)
					b.Run(fmt.Sprintf("%s/%s/%s/%d", rung.level, d, shape.name, rows), func(b *testing.B) {
						measure(b, s, 2*float64(rows*shape.in*shape.out), func() {
							core.Linear(y, &x, w, shape.a)
						})
					})
				}
			}
		}
	}
}

func BenchmarkAttention(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 2))
	for _, rung := range ladder()[1:] {
		s := rung.make()
		for d := range s.attend {
			core := s.NewCoreFor(d)
			for _, tokens := range []int{12, 32, 68, 128, 256, 512} {
				qkv, out := NewMatrix(random(r, tokens*192), tokens, 192), NewMatrix(random(r, tokens*32), tokens, 32)
				b.Run(fmt.Sprintf("%s/%s/%d", rung.level, d, tokens), func(b *testing.B) {
					measure(b, s, 4*float64(tokens*tokens*32), func() {
						core.Attention(out, qkv.ColumnRange(0, 32), qkv.ColumnRange(64, 96), qkv.ColumnRange(128, 160))
					})
				})
			}
		}
	}
}

// BenchmarkSelfAttention runs a head pair's projection and attention over the sequences
// of a block.
func BenchmarkSelfAttention(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, rung := range ladder()[1:] {
		s := rung.make()
		core := s.NewCoreFor(s.Best())
		w := s.Pack(nil, NewMatrix(random(r, 192*384), 192, 384), nil, s.Best())
		for _, tokens := range []int{12, 32, 68, 128, 256} {
			starts := []int32{0}
			for n := tokens; n <= 256; n += tokens {
				starts = append(starts, int32(n))
			}
			rows := int(starts[len(starts)-1])
			var x Activations
			s.Prepare(&x, NewMatrix(random(r, rows*384), rows, 384), s.Best())
			qkv, out := NewMatrix(random(r, rows*192), rows, 192), NewMatrix(random(r, rows*64), rows, 64)
			group := HeadGroup{2, 2, 32}
			core.Project(qkv, &x, w, starts, group)
			b.Run(fmt.Sprintf("%s/%d", rung.level, tokens), func(b *testing.B) {
				measure(b, s, 8*float64(rows*tokens*32), func() { core.SelfAttention(out, qkv, starts, group) })
			})
		}
	}
}

func BenchmarkLayerNorm(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 3))
	for _, rung := range ladder() {
		s := rung.make()
		x, gamma, beta := NewMatrix(random(r, 256*384), 256, 384), random(r, 384), random(r, 384)
		b.Run(string(rung.level), func(b *testing.B) {
			for b.Loop() {
				s.LayerNorm(x, x, gamma, beta, 1e-12)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/row")
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 5))
	x := NewMatrix(random(r, 256*384), 256, 384)
	for _, rung := range ladder() {
		s := rung.make()
		for _, d := range s.DTypes()[1:] {
			b.Run(fmt.Sprintf("%s/%s", rung.level, d), func(b *testing.B) {
				var a Activations
				for b.Loop() {
					s.Prepare(&a, x, d)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/row")
			})
		}
	}
}

func BenchmarkPack(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 4))
	w := NewMatrix(random(r, 384*384), 384, 384)
	for _, rung := range ladder() {
		s := rung.make()
		b.Run(string(rung.level), func(b *testing.B) {
			b.SetBytes(4 * 384 * 384)
			for b.Loop() {
				s.Pack(nil, w, nil, Float32)
			}
		})
	}
}
