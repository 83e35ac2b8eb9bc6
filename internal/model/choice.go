package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Activation is a function applied value by value.
type Activation string

const (
	Identity  Activation = "identity"
	GELU      Activation = "gelu"      // x * Φ(x) by the exact error function (arXiv 1606.08415)
	GELUTanh  Activation = "gelu_tanh" // its approximation by tanh
	SiLU      Activation = "silu"
	QuickGELU Activation = "quick_gelu" // GELU's approximation by the logistic function
	Mish      Activation = "mish"       // x * tanh(softplus(x)) (arXiv 1908.08681)
	ReLU      Activation = "relu"
	Tanh      Activation = "tanh"
	Sigmoid   Activation = "sigmoid" // behind pooling alone
)

// hiddenAct is an Activation under its name in transformers' ACT2FN.
type hiddenAct Activation

func (a *hiddenAct) UnmarshalText(name []byte) error {
	switch string(name) {
	case "gelu":
		*a = hiddenAct(GELU)
	case "gelu_new", "gelu_fast", "gelu_pytorch_tanh":
		*a = hiddenAct(GELUTanh)
	case "silu", "swish":
		*a = hiddenAct(SiLU)
	case "quick_gelu":
		*a = hiddenAct(QuickGELU)
	case "mish":
		*a = hiddenAct(Mish)
	case "relu":
		*a = hiddenAct(ReLU)
	default:
		return fmt.Errorf("activation %q is not known (known: gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, silu, swish, quick_gelu, mish, relu)", name)
	}
	return nil
}

// PoolingMode turns the hidden states of a sequence into one vector, as
// sentence-transformers' Pooling module does, under its names. The leading
// tokens that a sequence skips count for none of them; at least one token is
// always left.
type PoolingMode string

const (
	PoolCLS          PoolingMode = "cls"                  // the first token
	PoolMax          PoolingMode = "max"                  // the largest value of each column
	PoolMean         PoolingMode = "mean"                 // sum / tokens
	PoolMeanSqrt     PoolingMode = "mean_sqrt_len_tokens" // sum / sqrt(tokens)
	PoolWeightedMean PoolingMode = "weightedmean"         // token i weighs i, counted from 1 at the sequence's start, skipped or not
	PoolLast         PoolingMode = "lasttoken"            // the last token
)

// poolingModes lists every mode in the order in which sentence-transformers
// concatenates them.
var poolingModes = []PoolingMode{PoolCLS, PoolMax, PoolMean, PoolMeanSqrt, PoolWeightedMean, PoolLast}

// Choice names something that a Spec asks of an engine and that not every engine
// can do.
type Choice string

const (
	ChoicePositionTable Choice = "absolute positions"
	ChoiceRelativeBias  Choice = "relative position bias"
	ChoiceALiBi         Choice = "linear position biases"
	ChoiceRotary        Choice = "rotary positions"
	ChoiceWindow        Choice = "windowed attention"
	ChoiceCausal        Choice = "causal attention"
	ChoiceSharedKeys    Choice = "keys and values shared by heads"
	ChoiceHeadNorm      Choice = "norms of queries and keys"
	ChoicePreNorm       Choice = "pre-norm layers"
	ChoicePostNorm      Choice = "post-norm layers"
	ChoiceResultNorm    Choice = "norms of sublayers' results"
	ChoiceRMSNorm       Choice = "RMS norms"
	ChoiceGatedFFN      Choice = "gated feed-forward"
	ChoiceExperts       Choice = "a mixture of experts"
	ChoiceDense         Choice = "dense modules after pooling"
	ChoiceLayerMix      Choice = "a mean of the layers"
	ChoiceClassifier    Choice = "a classifier"
	ChoiceSplade        Choice = "SPLADE weights"
)

// ChoiceActivation is the choice of an activation.
func ChoiceActivation(a Activation) Choice { return Choice("activation " + string(a)) }

// ChoicePooling is the choice of a pooling mode.
func ChoicePooling(m PoolingMode) Choice { return Choice("pooling " + string(m)) }

// Choices lists what the model asks of an engine, each choice once.
func (s *Spec) Choices() []Choice {
	var c []Choice
	add := func(needed bool, choice Choice) {
		if needed && !slices.Contains(c, choice) {
			c = append(c, choice)
		}
	}
	add(!s.Embedding.Positions.IsZero(), ChoicePositionTable)
	add(!s.RelativeBias.Table.IsZero(), ChoiceRelativeBias)
	add(s.Slopes != nil, ChoiceALiBi)
	add(s.SharedBy() > 1, ChoiceSharedKeys)
	for i := range s.Layers {
		s.Layers[i].choices(add)
	}
	for _, m := range s.Pooling {
		add(true, ChoicePooling(m))
	}
	add(len(s.Dense) > 0, ChoiceDense)
	add(s.LayerMix != nil, ChoiceLayerMix)
	add(!s.Splade.IsZero(), ChoiceSplade)
	if !s.Classifier.IsZero() {
		add(true, ChoiceClassifier)
		add(true, ChoicePooling(s.Classifier.Pooling))
		add(true, ChoiceActivation(s.Classifier.Dense.Activation))
	}
	return c
}

func (l *Layer) choices(add func(needed bool, choice Choice)) {
	add(l.RotaryTheta != 0, ChoiceRotary)
	add(l.Window != 0, ChoiceWindow)
	add(l.Causal, ChoiceCausal)
	add(!l.QueryNorm.IsZero() || !l.KeyNorm.IsZero(), ChoiceHeadNorm)
	add(!l.PreAttention.IsZero() || !l.PreFFN.IsZero(), ChoicePreNorm)
	add(!l.PostAttention.IsZero() || !l.PostFFN.IsZero(), ChoicePostNorm)
	add(!l.AttentionResult.IsZero() || !l.FFNResult.IsZero(), ChoiceResultNorm)
	add(l.PreAttention.RMS, ChoiceRMSNorm)
	l.FFN.choices(add)
}

func (f *FFN) choices(add func(needed bool, choice Choice)) {
	if !f.Experts.IsZero() {
		add(true, ChoiceExperts)
		for i := range f.Experts.Each {
			f.Experts.Each[i].choices(add)
		}
		return
	}
	add(!f.Gate.Weight.IsZero(), ChoiceGatedFFN)
	add(true, ChoiceActivation(f.Activation))
}

// Require returns an *UnsupportedError unless everything the model asks for is
// among what an engine implements.
func (s *Spec) Require(engine string, implemented ...Choice) error {
	missing := slices.DeleteFunc(s.Choices(), func(c Choice) bool { return slices.Contains(implemented, c) })
	if len(missing) == 0 {
		return nil
	}
	return &UnsupportedError{Family: s.Family, Engine: engine, Missing: missing}
}

// ErrUnsupported marks a model that is sound as far as it was read, but of a kind
// that Paceline does not run.
var ErrUnsupported = errors.New("not supported")

// UnsupportedError is an ErrUnsupported: a model whose choices are understood, but not all
// implemented by the engine at hand.
type UnsupportedError struct {
	Family  string
	Engine  string
	Missing []Choice
}

func (e *UnsupportedError) Error() string {
	names := make([]string, len(e.Missing))
	for i, c := range e.Missing {
		names[i] = string(c)
	}
	return fmt.Sprintf("a %s model needs %s: not implemented by the %s engine", e.Family, strings.Join(names, ", "), e.Engine)
}

func (e *UnsupportedError) Unwrap() error { return ErrUnsupported }
