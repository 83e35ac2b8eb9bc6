package pipeline

import (
	"fmt"
	"io/fs"
	"maps"
	"strings"

	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/token"
)

// Pipeline turns inputs into token ids before an engine, and pooled vectors into
// embeddings after it.
type Pipeline struct {
	tokenizer     *token.Tokenizer
	modules       model.Modules
	prompts       map[string]string
	byDefault     string // the prompt that applies when a caller names none
	similarity    string // the measure that the model was trained for
	maxTokens     int
	truncatesLeft bool // a long text loses its beginning
	vocab         int
	types         int // rows of the model's token type table
	width         int // values in a vector of the engine
	dim           int // values in an embedding unless the caller asks for fewer
	labels        []string
	sigmoid       bool   // a score is the sigmoid of a logit
	activation    string // what config.json names for that; "" where it names none
}

// Read reads the pipeline of the repository in fsys. spec is the same
// repository's model.
func Read(fsys fs.FS, tok *token.Tokenizer, spec *model.Spec) (*Pipeline, error) {
	modules, err := model.ReadModules(fsys)
	if err != nil {
		return nil, err
	}
	p := &Pipeline{
		tokenizer: tok, modules: modules,
		vocab: spec.Embedding.Vocab, types: spec.Embedding.TokenTypes.Rows,
		width: spec.Dim(), dim: spec.Dim(),
	}
	if p.maxTokens = spec.MaxPositions; !modules.Static { // sentence-transformers never cuts for those
		if err := p.readTransformer(fsys, modules.Transformer, spec.MaxPositions); err != nil {
			return nil, err
		}
	}
	if err := p.readClassifier(fsys, spec); err != nil {
		return nil, err
	}
	if err := p.readSentenceConfig(fsys); err != nil {
		return nil, fmt.Errorf("%s: %w", sentenceConfigFile, err)
	}
	return p, nil
}

// Dim is the length of an embedding when the caller asks for no other.
func (p *Pipeline) Dim() int { return p.dim }

// MaxTokens is the longest sequence that the model takes, special tokens
// included.
func (p *Pipeline) MaxTokens() int { return p.maxTokens }

// Normalizes tells whether the model's own pipeline scales vectors to length 1.
func (p *Pipeline) Normalizes() bool { return p.modules.Normalize }

// Prompts returns the prompts that the model knows, by name.
func (p *Pipeline) Prompts() map[string]string { return maps.Clone(p.prompts) }

// DefaultPrompt is the text put before an input whose caller names no prompt;
// mostly "".
func (p *Pipeline) DefaultPrompt() string { return p.byDefault }

// Tokenizer returns the model's tokenizer.
func (p *Pipeline) Tokenizer() *token.Tokenizer { return p.tokenizer }

// Sparse tells whether a vector holds a weight for each token of the vocabulary,
// most of them 0.
func (p *Pipeline) Sparse() bool { return p.modules.Splade != "" }

// SimilarityName is the measure by which the model's vectors are meant to be
// compared: cosine, dot, euclidean or manhattan.
func (p *Pipeline) SimilarityName() string { return p.similarity }

// PoolingName names how hidden states become a vector, such as "mean", or
// "cls+mean" where two are concatenated, or "splade".
func (p *Pipeline) PoolingName() string {
	if p.Sparse() {
		return "splade"
	}
	names := make([]string, len(p.modules.Pooling))
	for i, mode := range p.modules.Pooling {
		names[i] = string(mode)
	}
	return strings.Join(names, "+")
}
