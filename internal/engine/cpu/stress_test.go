package cpu

import (
	"flag"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/kernel"
)

var stressTime = flag.Duration("stress", 200*time.Millisecond, "how long TestStressGC disturbs each arithmetic")

// stressed has heads of 32 columns, which one call attends to over whole sequences, and
// columns that fill no tile.
var stressed = shape{vocab: 97, positions: 300, hidden: 96, heads: 3, inner: 400, layers: 2}

// TestStressGC holds the assembly to what the runtime does behind its back: while the
// collector runs without end, stacks grow and move, and signals interrupt every
// thread, vectors stay those of a quiet engine, bit for bit, and every level goes on
// passing its check at load.
func TestStressGC(t *testing.T) {
	for _, o := range arithmetics(t)[1:] {
		t.Run(string(o.Level)+"/"+o.DType, func(t *testing.T) {
			e := openRandom(t, stressed, o)
			want := randomBatch(rand.New(rand.NewPCG(4, 1)), e.spec, 1, 12, 300, 33, 7, 64)
			mustRun(t, e, want)
			defer disturb(t)()
			until := time.Now().Add(*stressTime)
			var clients sync.WaitGroup
			for i := range 8 {
				clients.Go(func() {
					r := rand.New(rand.NewPCG(4, uint64(i)))
					for first := true; first || time.Now().Before(until) && !t.Failed(); first = false {
						choice := r.Perm(want.Len())[:1+r.IntN(want.Len())]
						deep(r.IntN(200), func() { checkSame(t, e, want, choice) })
						if set, err := kernel.Open(o.Level); err != nil || set.Level() != o.Level {
							t.Errorf("the level's check at load fails, amid signals: %v", err)
						}
					}
				})
			}
			clients.Wait()
		})
	}
}

// TestStressSeesDifferences: what TestStressGC compares by does tell vectors apart.
func TestStressSeesDifferences(t *testing.T) {
	t.Parallel()
	e := openRandom(t, small, Options{Threads: 1})
	b := randomBatch(rand.New(rand.NewPCG(4, 2)), e.spec, 12, 13)
	mustRun(t, e, b)
	if slices.Equal(b.Out[0].Vector, b.Out[1].Vector) {
		t.Error("two sequences have one vector")
	}
}

// deep runs f below that many frames of half a kilobyte, so that the stack under the
// kernels' arguments has just been moved, or is about to be.
func deep(frames int, f func()) byte {
	var local [512]byte
	if frames == 0 {
		f()
		return local[0]
	}
	local[frames%512] = deep(frames-1, f)
	return local[frames%512]
}
