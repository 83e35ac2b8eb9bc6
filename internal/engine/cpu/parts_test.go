package cpu

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// BenchmarkParts tells where the time of a forward pass goes: a full block of
// sequences of one length with weights of MiniLM-L6's shape, on one worker, each part
// in percent of all.
func BenchmarkParts(b *testing.B) {
	spec, tensors := randomModel(miniLM, 1)
	for _, o := range arithmetics(b)[1:] {
		o.Threads = 1
		e, err := New(spec, tensors, o)
		if err != nil {
			b.Fatal(err)
		}
		defer e.Close()
		for _, tokens := range []int{12, 32, 68, 128, 256} {
			b.Run(fmt.Sprintf("%s/%s/%d", o.Level, o.DType, tokens), func(b *testing.B) {
				var p Profile
				for b.Loop() {
					if p, err = e.Profile(b.Context(), tokens, 300*time.Millisecond); err != nil {
						b.Fatal(err)
					}
				}
				for _, part := range p.Parts {
					name := strings.NewReplacer(" ", "_", ",", "").Replace(string(part.Part))
					b.ReportMetric(100*part.Seconds/p.Seconds, "%"+name)
				}
				b.ReportMetric(float64(p.Sequences)/p.Seconds, "emb/s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// TestProfile: a profile covers every part of the model, and counts the operations
// that its products have.
func TestProfile(t *testing.T) {
	t.Parallel()
	e := openRandom(t, small, Options{Threads: 1})
	const tokens = 20
	p, err := e.Profile(context.Background(), tokens, 0)
	if err != nil {
		t.Fatal(err)
	}
	if p.Sequences != blockTokens/tokens || p.Seconds <= 0 || p.Peak <= 0 || len(p.Parts) != len(Parts) {
		t.Errorf("profile of %d tokens: %+v", tokens, p)
	}
	operations := 0.0
	for _, part := range p.Parts {
		operations += part.Operations
		if part.Operations > 0 && (part.Seconds <= 0 || part.Shape == "") {
			t.Errorf("%s: %+v", part.Part, part)
		}
	}
	if want := float64(p.Sequences) * small.flops(tokens); operations != want {
		t.Errorf("%v operations; the model has %v", operations, want)
	}
	if _, err := e.Profile(context.Background(), small.positions+1, 0); err == nil {
		t.Error("a sequence longer than the model takes was profiled")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.Profile(ctx, tokens, time.Hour); err == nil {
		t.Error("a profile that was called off went on")
	}
}
