package kserve

import (
	"net/http"

	"google.golang.org/grpc/codes"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// Status is the HTTP status for an error. The reference server knows but five:
// what it has no status for is 400.
func Status(k dialect.Kind) int {
	switch k {
	case dialect.Internal:
		return http.StatusInternalServerError
	case dialect.NoModel, dialect.NoRoute:
		return http.StatusNotFound
	case dialect.Overloaded, dialect.Unavailable:
		return http.StatusServiceUnavailable
	case dialect.Unsupported, dialect.Encoding:
		return http.StatusNotImplemented
	case dialect.NoMethod, dialect.Unauthorized, dialect.TooLarge:
		return k.Status()
	case dialect.Timeout:
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}

// Code is the gRPC code for an error.
func Code(k dialect.Kind) codes.Code {
	switch k {
	case dialect.Internal:
		return codes.Internal
	case dialect.NoModel, dialect.NoRoute:
		return codes.NotFound
	case dialect.Overloaded, dialect.Unavailable:
		return codes.Unavailable
	case dialect.Unsupported, dialect.NoMethod:
		return codes.Unimplemented
	case dialect.Unauthorized:
		return codes.Unauthenticated
	case dialect.TooLarge:
		return codes.ResourceExhausted
	case dialect.Timeout:
		return codes.DeadlineExceeded
	}
	return codes.InvalidArgument
}

// Fail writes an error as the protocol's HTTP clients expect it.
func Fail(a *dialect.Answer, e *dialect.Error) {
	a.Status = Status(e.Kind)
	a.Raw(`{"error":`)
	a.String(e.Message)
	a.Raw(`}`)
}

// ParseBody takes a JSON body apart; an empty one has no fields.
func ParseBody(data []byte) (*wire.Body, error) {
	if len(data) == 0 {
		return &wire.Body{}, nil
	}
	b, err := wire.ParseBody(data)
	switch {
	case err != nil:
		return nil, invalid("failed to parse the request JSON buffer: %v", err)
	case len(b.Bare) > 0:
		return nil, invalid("failed to parse the request JSON buffer: it is no object")
	}
	return b, nil
}
