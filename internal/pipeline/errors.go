package pipeline

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with an input, to be told apart with errors.Is. The types
// below carry the numbers and are got at with errors.As.
var (
	ErrTooLong       = errors.New("the text is longer than the model takes")
	ErrUnknownPrompt = errors.New("the model has no prompt of that name")
	ErrTokenID       = errors.New("the model has no such token id")
	ErrNoTokens      = errors.New("the input has no tokens")
	ErrDimensions    = errors.New("the model cannot give that many dimensions")
	ErrNotFinite     = errors.New("the model's vector is not finite")
)

// TooLongError is an ErrTooLong: a sequence of Tokens, special ones included,
// where the limit is Limit.
type TooLongError struct{ Tokens, Limit int }

func (e *TooLongError) Error() string {
	return fmt.Sprintf("the text has %d tokens and the limit is %d: shorten it or ask for truncation", e.Tokens, e.Limit)
}

func (e *TooLongError) Unwrap() error { return ErrTooLong }

// UnknownPromptError is an ErrUnknownPrompt.
type UnknownPromptError struct {
	Name  string
	Known []string // sorted
}

func (e *UnknownPromptError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("there is no prompt named %q: the model has none", e.Name)
	}
	return fmt.Sprintf("there is no prompt named %q (known: %s)", e.Name, strings.Join(e.Known, ", "))
}

func (e *UnknownPromptError) Unwrap() error { return ErrUnknownPrompt }

// TokenIDError is an ErrTokenID: ID stands at Index of a sequence, and the
// model's ids run from 0 to Vocab-1.
type TokenIDError struct {
	ID           int32
	Index, Vocab int
}

func (e *TokenIDError) Error() string {
	return fmt.Sprintf("token id %d at index %d is outside the model's vocabulary (0 to %d)", e.ID, e.Index, e.Vocab-1)
}

func (e *TokenIDError) Unwrap() error { return ErrTokenID }

// DimensionsError is an ErrDimensions.
type DimensionsError struct{ Dimensions, Max int }

func (e *DimensionsError) Error() string {
	return fmt.Sprintf("dimensions is %d; the model gives 1 to %d", e.Dimensions, e.Max)
}

func (e *DimensionsError) Unwrap() error { return ErrDimensions }
