package export

import (
	"encoding/json"
	"testing"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/reporttest"
)

// TestStackJSONKeys holds the keys that scripts read.
func TestStackJSONKeys(t *testing.T) {
	t.Parallel()
	h := reporttest.NewHand("s")
	h.Cell("s", record.SweepBatchSize, 16, 1, 100, 160, 160)
	h.Cell("s", record.SweepBatchSize, 4, 1, 50, 80, 40)
	h.Cell("s", record.SweepConcurrency, 32, 2, 50, 64)
	h.Cell("s", record.SweepTextLength, 32, 1, 250, 64)
	h.Last().TextLength, h.Last().PeakBytes = 500, 132e6
	data, err := json.Marshal(stackResults(figures.NewIndex(h.Results), &h.Stacks[0]))
	if err != nil {
		t.Fatal(err)
	}
	// Batch 4: 120 texts in 30 batches over two slices of a second. Memory: 32 MB more
	// than idle for 32 texts.
	want := `{"batch_efficiency":{` +
		`"4":{"total_embeddings":120,"total_time":2,"embeddings_per_second":60,"avg_batch_time":0.06666666666666667,"num_batches":30},` +
		`"16":{"total_embeddings":320,"total_time":2,"embeddings_per_second":160,"avg_batch_time":0.1,"num_batches":20}},` +
		`"concurrent_throughput":{` +
		`"2":{"total_embeddings":64,"total_time":1,"embeddings_per_second":64,"avg_task_time":0.05,"concurrent_tasks":2}},` +
		`"memory_efficiency":{` +
		`"500":{"text_length":500,"batch_size":32,"memory_used_mb":32,"memory_per_embedding_mb":1,"processing_time":0.25,"embeddings_per_second":64}}}`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
}
