package paceline

import (
	"fmt"

	"github.com/paceline/paceline/internal/engine/cpu"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
)

// What can go wrong with a call, to be told apart with [errors.Is].
var (
	// ErrTooLong: a text has more tokens than the model takes, and truncation is off.
	ErrTooLong = pipeline.ErrTooLong
	// ErrUnknownPrompt: the model has no prompt of the name given.
	ErrUnknownPrompt = pipeline.ErrUnknownPrompt
	// ErrDimensions: the model cannot give as many dimensions as asked for.
	ErrDimensions = pipeline.ErrDimensions
	// ErrNotFinite: the model's vector holds infinities or values that are no
	// numbers; its weights are damaged, or its arithmetic overflowed.
	ErrNotFinite = pipeline.ErrNotFinite
	// ErrUnsupported: the model is of a kind that Paceline does not run.
	ErrUnsupported = model.ErrUnsupported
	// ErrClosed: the model was closed.
	ErrClosed = cpu.ErrClosed
)

// TextError says which of several texts an error is about. [errors.Is] sees
// through it.
type TextError struct {
	Index int // into the texts of the call
	Err   error
}

func (e *TextError) Error() string { return fmt.Sprintf("text %d: %v", e.Index, e.Err) }

// Unwrap returns what is wrong with the text.
func (e *TextError) Unwrap() error { return e.Err }
