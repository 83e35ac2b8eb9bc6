package paceline

import (
	"github.com/paceline/paceline/internal/encode"
	"github.com/paceline/paceline/internal/engine/cpu"
	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/store"
	"github.com/paceline/paceline/internal/store/hub"
)

// What can go wrong when a model is opened, to be told apart with [errors.Is].
var (
	// ErrNotFound: the hub has no such repository, or hides it without a token.
	ErrNotFound = hub.ErrRepoNotFound
	// ErrAccess: the hub refuses the token, or asks for one.
	ErrAccess = hub.ErrAccess
	// ErrUnreachable: the hub does not answer, and the model is not on this machine.
	ErrUnreachable = hub.ErrUnreachable
	// ErrOffline: HF_HUB_OFFLINE is set, and the model is not on this machine.
	ErrOffline = store.ErrOffline
	// ErrPickle: the weights are there only as a pickle, which Paceline does not read.
	ErrPickle = store.ErrPickle
	// ErrUnsupported: the model is of a kind that Paceline does not run.
	ErrUnsupported = model.ErrUnsupported
)

// What can go wrong when texts are embedded.
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
	// ErrClosed: the model was closed.
	ErrClosed = cpu.ErrClosed
)

// TextError says which of several texts an error is about: Index is its place in the
// texts of the call, Err what is wrong with it. [errors.Is] sees through it.
type TextError = encode.TextError
