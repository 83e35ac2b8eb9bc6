package paceline

import (
	"context"

	"github.com/paceline/paceline/internal/encode"
	"github.com/paceline/paceline/internal/pipeline"
)

// EmbedOption is a choice to make when texts are embedded.
type EmbedOption func(*embedOptions)

type embedOptions encode.Options

// WithPrompt puts the model's prompt of that name before every text, such as
// "query". [Model.Prompts] lists them; another name is an [ErrUnknownPrompt].
func WithPrompt(name string) EmbedOption {
	return func(o *embedOptions) { o.Prepare.PromptName = name }
}

// WithPromptText puts a prompt of the caller's own before every text.
func WithPromptText(prompt string) EmbedOption {
	return func(o *embedOptions) { o.Prepare.Prompt = prompt }
}

// WithDimensions keeps the first n values of a vector, for models trained so
// that these alone are an embedding (Matryoshka). More than the model has is an
// [ErrDimensions].
func WithDimensions(n int) EmbedOption {
	return func(o *embedOptions) { o.Finish.Dimensions = n }
}

// WithNormalize scales vectors to length 1 or leaves them as they are. Without
// it the model's repository decides.
func WithNormalize(normalize bool) EmbedOption {
	return func(o *embedOptions) { o.Finish.Normalize, o.Finish.BeforeCut = normalize, false }
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
		Finish: pipeline.FinishOptions{Normalize: m.model.Pipeline.Normalizes(), BeforeCut: true},
		Long:   LongTruncate,
	}
	for _, option := range options {
		option(&o)
	}
	return m.model.Encoder().Texts(ctx, texts, encode.Options(o))
}
