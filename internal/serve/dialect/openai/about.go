package openai

import (
	"net/http"
	"strings"

	"github.com/paceline/paceline/internal/serve/dialect"
)

func models(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) {
	a.Raw(`{"object":"list","data":[`)
	for k, m := range s.Models {
		if k > 0 {
			a.Raw(`,`)
		}
		a.Raw(`{"id":`)
		a.String(m.Model)
		a.Raw(`,"object":"model","created":`)
		a.Int(int(m.Created))
		a.Raw(`,"owned_by":"paceline","root":`)
		a.String(m.ModelID)
		a.Raw(`,"parent":null,"max_model_len":`)
		if m.MaxTokens > 0 {
			a.Int(m.MaxTokens)
		} else {
			a.Raw(`null`) // not opened yet
		}
		a.Raw(`,"loaded":`)
		a.Bool(m.Open)
		a.Raw(`,"permission":[]}`)
	}
	a.Raw(`]}`)
}

func version(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) {
	a.Raw(`{"version":`)
	a.String(i.Version)
	a.Raw(`}`)
}

func health(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) {
	if !s.Ready {
		Fail(a, dialect.Errorf(dialect.Unavailable, "", "the server is not ready"))
	}
}

// Fail writes {"error": {"message", "type", "param", "code"}}.
func Fail(a *dialect.Answer, e *dialect.Error) {
	a.Raw(`{`)
	EncodeError(a, e)
	a.Raw(`}`)
}

// EncodeError sets the status and writes the member "error" of an object.
func EncodeError(a *dialect.Answer, e *dialect.Error) {
	a.Status = e.Kind.Status()
	name, code := "invalid_request_error", ""
	switch e.Kind {
	case dialect.NoModel:
		code = "model_not_found"
	case dialect.Unauthorized:
		code = "invalid_api_key"
	case dialect.TooLong:
		code = "context_length_exceeded"
	case dialect.Overloaded:
		name, code = "rate_limit_error", "rate_limit_exceeded"
	case dialect.Unavailable:
		name = "service_unavailable_error"
	case dialect.Internal:
		name = "server_error"
	case dialect.Unsupported:
		a.Status = http.StatusBadRequest
	}
	a.Raw(`"error":{"message":`)
	a.String(e.Message)
	a.Raw(`,"type":`)
	a.String(name)
	a.Raw(`,"param":`)
	// param is the field's name, without the place inside it
	stringOrNull(a, strings.SplitN(e.Field, "[", 2)[0])
	a.Raw(`,"code":`)
	stringOrNull(a, code)
	a.Raw(`}`)
}

func stringOrNull(a *dialect.Answer, s string) {
	if s == "" {
		a.Raw(`null`)
		return
	}
	a.String(s)
}
