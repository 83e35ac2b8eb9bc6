package dialect

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// Kind is what went wrong, in the server's own terms. A dialect turns it into
// the status and the words of its clients.
type Kind int

const (
	Internal     Kind = iota // a fault of ours
	Syntax                   // the body is not JSON
	Field                    // a field is missing or of the wrong type
	Value                    // a value that is well-typed but not acceptable
	Empty                    // no input
	TooMany                  // more inputs than a request may have
	TooLong                  // an input longer than the model takes
	TooLarge                 // a body larger than allowed
	Encoding                 // a Content-Encoding that is not known
	Unsupported              // this model cannot do that
	NoModel                  // no model of that name
	NoRoute                  // no such path
	NoMethod                 // not this method on that path
	Unauthorized             // no API key, or a wrong one
	Overloaded               // no room now
	Unavailable              // not ready, or shutting down
	Timeout                  // the deadline passed, or the client left
)

var kindNames = [...]string{
	"internal", "syntax", "field", "value", "empty", "too_many", "too_long", "too_large", "encoding", "unsupported",
	"no_model", "no_route", "no_method", "unauthorized", "overloaded", "unavailable", "timeout",
}

func (k Kind) String() string { return kindNames[k] }

// Error is a request that could not be answered.
type Error struct {
	Kind    Kind
	Message string
	Field   string // where in the request, if anywhere
	Missing bool   // Field: it is not there
	Query   bool   // Field: it stands in the URL, not in the body
	// TooLong: how many tokens there were and how many there may be.
	Given, Limit int
	// RetryAfter, unless 0, is when to try again.
	RetryAfter time.Duration
}

func (e *Error) Error() string { return e.Message }

// Errorf makes an Error.
func Errorf(kind Kind, field, format string, args ...any) *Error {
	return &Error{Kind: kind, Field: field, Message: fmt.Sprintf(format, args...)}
}

// AsError gives any error of a decoder its kind.
func AsError(err error) *Error {
	var known *Error
	var field *wire.FieldError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &field):
		return &Error{Kind: Field, Message: field.Error(), Field: field.Field, Missing: field.Missing, Query: field.Query}
	case errors.Is(err, wire.ErrSyntax):
		return &Error{Kind: Syntax, Message: err.Error()}
	}
	return &Error{Kind: Internal, Message: err.Error()}
}

// Status is the HTTP status that most dialects answer an error with.
func (k Kind) Status() int {
	switch k {
	case Syntax, Field, Value, Empty, TooMany, TooLong:
		return http.StatusBadRequest
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Encoding:
		return http.StatusUnsupportedMediaType
	case Unsupported:
		return http.StatusFailedDependency
	case NoModel, NoRoute:
		return http.StatusNotFound
	case NoMethod:
		return http.StatusMethodNotAllowed
	case Unauthorized:
		return http.StatusUnauthorized
	case Overloaded:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	case Timeout:
		return http.StatusRequestTimeout
	default:
		return http.StatusInternalServerError
	}
}
