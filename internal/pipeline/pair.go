package pipeline

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"strings"

	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/token"
)

// PreparePair turns two texts, such as a query and a document, into the one
// sequence that a classifier reads. Where it is too long, the longer text is cut
// first. Prompts play no part. Its errors are ErrTooLong and ErrTokenID.
func (p *Pipeline) PreparePair(a, b string, o PrepareOptions) (Prepared, error) {
	limit := p.limit(o)
	encode := token.Options{Special: !o.NoSpecial, TruncateLeft: o.TruncateLeft || p.truncatesLeft}
	if o.Truncate {
		encode.MaxTokens = limit
	}
	e := p.tokenizer.EncodePair(a, b, encode)
	if len(e.IDs) > limit {
		return Prepared{}, &TooLongError{Tokens: len(e.IDs), Limit: limit}
	}
	return Prepared{IDs: e.IDs, Types: p.tokenTypes(e.Types), Truncated: e.Truncated}, p.check(e.IDs)
}

// Labels are the classifier's, in the order of its logits; nil for a model without.
func (p *Pipeline) Labels() []string { return p.labels }

// NamesActivation tells whether config.json names what becomes of the logits.
func (p *Pipeline) NamesActivation() bool { return p.activation != "" }

// Score turns a classifier's logits into scores, in place, as sentence-transformers'
// CrossEncoder does: by the function that config.json names, else by the sigmoid
// for one label and not at all for several. Its error is ErrNotFinite.
func (p *Pipeline) Score(logits []float32) error {
	for i, x := range logits {
		if p.sigmoid {
			x = float32(1 / (1 + math.Exp(-float64(x))))
		}
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return ErrNotFinite
		}
		logits[i] = x
	}
	return nil
}

// readClassifier reads what becomes of the logits.
func (p *Pipeline) readClassifier(fsys fs.FS, spec *model.Spec) error {
	if spec.Classifier.IsZero() {
		return nil
	}
	p.labels = spec.Classifier.Labels
	var c struct {
		New struct {
			Function string `json:"activation_fn"`
		} `json:"sentence_transformers"`
		Old string `json:"sbert_ce_default_activation_function"`
	}
	name := path.Join(p.modules.Transformer, "config.json")
	if _, err := decodeFile(fsys, name, &c); err != nil {
		return err
	}
	function := c.New.Function
	if function == "" {
		function = c.Old
	}
	if function != "" && !strings.HasPrefix(function, "torch.nn.") { // sentence-transformers does not run it
		return fmt.Errorf("%s: activation function %q is code of somebody's own: %w", name, function, model.ErrUnsupported)
	}
	p.activation = function[strings.LastIndexByte(function, '.')+1:]
	switch p.activation {
	case "":
		p.sigmoid = len(p.labels) == 1
	case "Sigmoid":
		p.sigmoid = true
	case "Identity":
	default:
		return fmt.Errorf("%s: activation function %q is %w (known: Sigmoid, Identity of torch.nn)", name, function, model.ErrUnsupported)
	}
	return nil
}
