package triton

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/paceline/paceline/internal/batch"
	pb "github.com/paceline/paceline/internal/kservepb"
)

// warmup computes the batches of model_warmup, whose results nobody sees. Random
// data is random token ids: a random mask, as configs ask for, has no meaning.
func (m *served) warmup(ctx context.Context, opened *Opened) error {
	vocabulary := opened.Pipeline.Tokenizer().VocabSize()
	random := rand.New(rand.NewPCG(1, 2)) // the same at every start
	for _, w := range m.config.ModelWarmup {
		tokens := min(warmupTokens(w), opened.Pipeline.MaxTokens())
		rows := int(max(w.BatchSize, 1))
		var b batch.Job
		for range rows {
			item := batch.Item{IDs: make([]int32, tokens)}
			item.Out.Vector = make([]float32, opened.Width)
			if !zeroData(w) {
				for k := range item.IDs {
					item.IDs[k] = int32(random.IntN(vocabulary))
				}
			}
			b.Items = append(b.Items, item)
		}
		queue := batch.New(opened.Runner, batch.Direct{Texts: rows}, batch.Options{}) // not the model's: it does not count
		for range max(w.Count, 1) {
			if _, err := queue.Do(ctx, &b); err != nil {
				return fmt.Errorf("model_warmup '%s': %w", w.Name, err)
			}
		}
		if err := queue.Drain(ctx); err != nil {
			return err
		}
	}
	return nil
}

// warmupTokens is the length of the sample's rows.
func warmupTokens(w *pb.ModelWarmup) int {
	longest := int64(1)
	for _, in := range w.Inputs {
		for _, d := range in.Dims {
			longest = max(longest, d)
		}
	}
	return int(min(longest, 1<<20))
}

func zeroData(w *pb.ModelWarmup) bool {
	for _, in := range w.Inputs {
		if in.GetRandomData() {
			return false
		}
	}
	return true
}
