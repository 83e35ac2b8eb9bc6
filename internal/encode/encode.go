// Package encode turns a list of texts into vectors in one process: through the
// pipeline, an engine and the pipeline's end, with all the engine's threads and in
// pieces of bounded size.
//
// It is what the library's Embed and `paceline embed` share. It knows no queue and no
// wire; the server's texts go their own way, through internal/batch.
//
// Invariant: a text's vector does not depend on the texts it is encoded with.
package encode

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
)

// Engine fills b.Out; ctx ends it early.
type Engine interface {
	Run(ctx context.Context, b *model.Batch) error
}

// Encoder is a model as far as encoding needs it. Its methods are safe for concurrent
// use.
type Encoder struct {
	Pipeline *pipeline.Pipeline
	Engine   Engine
	Width    int // values in a vector of the engine
	Threads  int // of the engine
}

// Options says how texts become vectors.
type Options struct {
	Prepare pipeline.PrepareOptions // its Truncate follows Long
	Finish  pipeline.FinishOptions
	Long    pipeline.LongText
	Report  func(Report) // called from several goroutines at once, before the text is computed
}

// Report says how a text was embedded.
type Report struct {
	Index     int  // into the texts of the call
	Tokens    int  // as computed, special tokens and prompts of every chunk included
	Chunks    int  // 1 unless it was embedded in pieces
	Truncated bool // its end was cut off
}

// TextError says which of several texts an error is about. [errors.Is] sees
// through it.
type TextError struct {
	Index int // into the texts of the call
	Err   error
}

func (e *TextError) Error() string { return fmt.Sprintf("text %d: %v", e.Index, e.Err) }

// Unwrap returns what is wrong with the text.
func (e *TextError) Unwrap() error { return e.Err }

// Texts returns one vector for each text. It returns when ctx ends, with ctx's error.
// An error that one text caused is a *[TextError]; there is then no result for any.
func (e *Encoder) Texts(ctx context.Context, texts []string, o Options) ([][]float32, error) {
	if _, err := pipeline.ParseLongText(string(o.Long)); err != nil {
		return nil, err
	}
	o.Prepare.Truncate = o.Long == pipeline.LongTruncate
	if err := e.Pipeline.CheckDimensions(o.Finish.Dimensions); err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(texts))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(e.Threads + 1) // one piece becomes tokens while each thread has one
	size := e.pieceSize(len(texts))
	for first := 0; first < len(texts) && inner.Err() == nil; first += size {
		end := min(first+size, len(texts))
		group.Go(func() error {
			return e.piece(inner, texts[first:end], vectors[first:end], first, &o)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil { // the loop may have ended early
		return nil, err
	}
	return vectors, nil
}

// Pieces are large enough to fill the engine's blocks of tokens, and small enough
// that what is in flight is little.
const (
	minPiece = 16
	maxPiece = 256
)

// pieceSize splits a short list evenly over the threads, so that all of them make
// tokens.
func (e *Encoder) pieceSize(texts int) int {
	return min(max((texts+e.Threads-1)/e.Threads, minPiece), maxPiece)
}

// piece fills vectors, which stands for texts; first is their place in the caller's
// list.
func (e *Encoder) piece(ctx context.Context, texts []string, vectors [][]float32, first int, o *Options) error {
	var batch model.Batch
	all := make([][]int, len(texts)) // the weights of each text's chunks
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunks, weights, err := e.prepare(text, o)
		if err != nil {
			return &TextError{Index: first + i, Err: err}
		}
		report := Report{Index: first + i, Chunks: len(chunks), Truncated: chunks[0].Truncated}
		for _, p := range chunks {
			batch.Append(p.IDs, p.Types, p.Skip, model.Output{Vector: make([]float32, e.Width)})
			report.Tokens += len(p.IDs)
		}
		all[i] = weights
		if o.Report != nil {
			o.Report(report)
		}
	}
	if err := e.Engine.Run(ctx, &batch); err != nil {
		return err
	}
	out := batch.Out
	for i, weights := range all {
		parts := make([][]float32, len(weights))
		for k := range parts {
			parts[k] = out[k].Vector
		}
		out = out[len(weights):]
		v, err := e.Pipeline.Finish(pipeline.Mean(parts, weights), o.Finish)
		if err != nil {
			return &TextError{Index: first + i, Err: err}
		}
		vectors[i] = v
	}
	return nil
}

// prepare makes the sequences that stand for a text: one, unless the text is to be
// cut into chunks and needs it.
func (e *Encoder) prepare(text string, o *Options) (chunks []pipeline.Prepared, weights []int, err error) {
	if o.Long == pipeline.LongChunkMean {
		return e.Pipeline.PrepareChunks(pipeline.Input{Text: text}, o.Prepare)
	}
	p, err := e.Pipeline.Prepare(pipeline.Input{Text: text}, o.Prepare)
	return []pipeline.Prepared{p}, []int{1}, err
}
