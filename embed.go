package paceline

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
)

// EmbedOption is a choice to make when texts are embedded.
type EmbedOption func(*embedOptions)

type embedOptions struct {
	prepare pipeline.PrepareOptions
	finish  pipeline.FinishOptions
	long    LongText
	report  func(TextReport)
}

// WithPrompt puts the model's prompt of that name before every text, such as
// "query". [Model.Prompts] lists them; another name is an [ErrUnknownPrompt].
func WithPrompt(name string) EmbedOption {
	return func(o *embedOptions) { o.prepare.PromptName = name }
}

// WithPromptText puts a prompt of the caller's own before every text.
func WithPromptText(prompt string) EmbedOption {
	return func(o *embedOptions) { o.prepare.Prompt = prompt }
}

// WithDimensions keeps the first n values of a vector, for models trained so
// that these alone are an embedding (Matryoshka). More than the model has is an
// [ErrDimensions].
func WithDimensions(n int) EmbedOption {
	return func(o *embedOptions) { o.finish.Dimensions = n }
}

// WithNormalize scales vectors to length 1 or leaves them as they are. Without
// it the model's repository decides.
func WithNormalize(normalize bool) EmbedOption {
	return func(o *embedOptions) { o.finish.Normalize, o.finish.BeforeCut = normalize, false }
}

// WithoutTruncation makes a text of more than [Model.MaxTokens] tokens an
// [ErrTooLong] instead of cutting it.
func WithoutTruncation() EmbedOption { return WithLongText(LongError) }

// Embed returns one vector of [Model.Dim] values for each text. It uses all the
// model's threads, and works through long lists in pieces, so that memory beyond
// the result stays bounded.
//
// Embed returns when ctx ends, with ctx's error. An error that one text caused
// is a *[TextError] which says which one; there is then no result for any.
func (m *Model) Embed(ctx context.Context, texts []string, options ...EmbedOption) ([][]float32, error) {
	o := embedOptions{
		finish: pipeline.FinishOptions{Normalize: m.model.Pipeline.Normalizes(), BeforeCut: true},
		long:   LongTruncate, report: func(TextReport) {},
	}
	for _, option := range options {
		option(&o)
	}
	if _, err := pipeline.ParseLongText(string(o.long)); err != nil {
		return nil, err
	}
	o.prepare.Truncate = o.long == LongTruncate
	if err := m.model.Pipeline.CheckDimensions(o.finish.Dimensions); err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(texts))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(m.model.Threads + 1) // one piece becomes tokens while each thread has one
	size := m.pieceSize(len(texts))
	for first := 0; first < len(texts) && inner.Err() == nil; first += size {
		end := min(first+size, len(texts))
		group.Go(func() error {
			return m.embedPiece(inner, texts[first:end], vectors[first:end], first, &o)
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
func (m *Model) pieceSize(texts int) int {
	return min(max((texts+m.model.Threads-1)/m.model.Threads, minPiece), maxPiece)
}

// embedPiece fills vectors, which stands for texts; first is their place in the
// caller's list.
func (m *Model) embedPiece(ctx context.Context, texts []string, vectors [][]float32, first int, o *embedOptions) error {
	var batch model.Batch
	all := make([][]int, len(texts)) // the weights of each text's chunks
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunks, weights, err := m.prepare(text, o)
		if err != nil {
			return &TextError{Index: first + i, Err: err}
		}
		report := TextReport{Index: first + i, Chunks: len(chunks), Truncated: chunks[0].Truncated}
		for _, p := range chunks {
			batch.Append(p.IDs, p.Types, p.Skip, model.Output{Vector: make([]float32, m.model.Spec.Dim())})
			report.Tokens += len(p.IDs)
		}
		all[i] = weights
		o.report(report)
	}
	if err := m.model.Engine.Run(ctx, &batch); err != nil {
		return err
	}
	out := batch.Out
	for i, weights := range all {
		parts := make([][]float32, len(weights))
		for k := range parts {
			parts[k] = out[k].Vector
		}
		out = out[len(weights):]
		v, err := m.model.Pipeline.Finish(pipeline.Mean(parts, weights), o.finish)
		if err != nil {
			return &TextError{Index: first + i, Err: err}
		}
		vectors[i] = v
	}
	return nil
}

// prepare makes the sequences that stand for a text: one, unless the text is to be
// cut into chunks and needs it.
func (m *Model) prepare(text string, o *embedOptions) (chunks []pipeline.Prepared, weights []int, err error) {
	if o.long == LongChunkMean {
		return m.model.Pipeline.PrepareChunks(pipeline.Input{Text: text}, o.prepare)
	}
	p, err := m.model.Pipeline.Prepare(pipeline.Input{Text: text}, o.prepare)
	return []pipeline.Prepared{p}, []int{1}, err
}
