package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/paceline/paceline/internal/kernel"
	"github.com/paceline/paceline/internal/model"
)

// TestExpertsBatchInvariance: who shares an expert with a token, and which worker's it
// is, changes nothing of the token's result.
func TestExpertsBatchInvariance(t *testing.T) {
	t.Parallel()
	spec, tensors := choiceModel("experts")
	for _, o := range arithmetics(t) {
		if raceEnabled && o.DType != string(kernel.Float32) {
			continue
		}
		t.Run(string(o.Level)+"/"+o.DType, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(11, 1))
			b := randomBatch(r, spec, 1, 2, 120, 17, 119, 40, 1, 65)
			o.Threads = 1
			alone := openChoice(t, spec, tensors, o)
			for i := range b.Len() {
				mustRun(t, alone, subset(b, []int{i}))
			}
			o.Threads = 3
			together := openChoice(t, spec, tensors, o)
			for range 3 {
				checkSame(t, together, b, r.Perm(b.Len()))
			}
		})
	}
}

func openChoice(t *testing.T, spec *model.Spec, tensors model.Tensors, o Options) *Engine {
	t.Helper()
	e, err := New(spec, tensors, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}
