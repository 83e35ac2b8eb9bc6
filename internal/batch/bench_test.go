package batch

import (
	"context"
	"testing"

	"github.com/paceline/paceline/internal/model"
)

// BenchmarkDo is what a request of one 68-token text pays for the queue, with an
// engine that does nothing: alone, and among many.
func BenchmarkDo(b *testing.B) {
	nothing := runnerFunc(func(context.Context, *model.Batch) error { return nil })
	policies := map[string]Policy{
		"preferred":  Preferred{MaxTexts: 128, Sizes: []int{1, 2, 4, 8, 16, 32, 64, 128}, Queue: 512, Instances: 2},
		"budget":     TEI(),
		"direct":     LangChain(),
		"continuous": VLLM(),
	}
	for name, policy := range policies {
		b.Run(name+"/alone", func(b *testing.B) {
			q := New(nothing, policy, Options{})
			b.ReportAllocs()
			for b.Loop() {
				ask(b, q)
			}
			drainBench(b, q)
		})
		b.Run(name+"/among64", func(b *testing.B) {
			q := New(nothing, policy, Options{})
			b.SetParallelism(64)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					ask(b, q)
				}
			})
			drainBench(b, q)
		})
	}
}

var passage = make([]int32, 68)

func ask(b *testing.B, q *Queue) {
	if _, err := q.Do(context.Background(), &Job{Items: []Item{{IDs: passage}}}); err != nil {
		b.Error(err)
	}
}

func drainBench(b *testing.B, q *Queue) {
	if err := q.Drain(context.Background()); err != nil {
		b.Error(err)
	}
}

// BenchmarkPolicy is one decision over a queue of 500 requests.
func BenchmarkPolicy(b *testing.B) {
	waiting := many(500, 0, 4)
	for _, p := range []Policy{FastAPI(), Triton(), TEI(), LangChain(), VLLM()} {
		b.Run(p.Name(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Next(State{Waiting: waiting, Free: epoch}, at(10))
			}
		})
	}
}
