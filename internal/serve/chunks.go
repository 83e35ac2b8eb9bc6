package serve

import (
	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect"
)

// longText is what becomes of an input that is too long: what the request says,
// else what the operator wants, else what the request's API does. Only dense
// vectors have a mean; where chunks have none, the input is cut.
func (j *job) longText() pipeline.LongText {
	r, i := j.request, &j.model.info
	switch {
	case r.Truncate == dialect.Yes:
		return pipeline.LongTruncate
	case r.Truncate == dialect.No:
		return pipeline.LongError
	case i.LongText == string(pipeline.LongChunkMean) && (r.Want != dialect.Vectors || j.model.Pipeline.Sparse()):
		return pipeline.LongTruncate
	case i.LongText != "":
		return pipeline.LongText(i.LongText)
	case r.Truncates || i.TruncatesDefault:
		return pipeline.LongTruncate
	}
	return pipeline.LongError
}

// prepareChunks turns one input into items, one for each chunk.
func (j *job) prepareChunks(in *dialect.Input, o pipeline.PrepareOptions) error {
	o = withPromptOf(in, o)
	text, cut := cutToTokens(j.model.Pipeline.Tokenizer(), in.Text, in.Keep)
	chunks, weights, err := j.model.Pipeline.PrepareChunks(pipeline.Input{Text: text, IDs: in.IDs}, o)
	if err != nil {
		return err
	}
	for _, p := range chunks {
		j.add(p)
	}
	j.weights = append(j.weights, weights)
	if len(chunks) > 1 {
		j.result.Chunked++
	}
	if cut {
		j.result.Truncated++
	}
	return nil
}

// add gives the queue one sequence.
func (j *job) add(p pipeline.Prepared) {
	j.items = append(j.items, batch.Item{IDs: p.IDs, Types: p.Types, Skip: p.Skip})
	j.result.InputTokens += len(p.IDs)
}

// vector is the engine's of input i: its only one, or the mean of its chunks'.
// Inputs are asked for in their order.
func (j *job) vector(i int) []float32 {
	if j.weights == nil {
		return j.items[i].Out.Vector
	}
	n := len(j.weights[i])
	parts := make([][]float32, n)
	for k := range parts {
		parts[k] = j.items[k].Out.Vector
	}
	j.items = j.items[n:]
	return pipeline.Mean(parts, j.weights[i])
}
