// Package cohere speaks the language of Cohere's API, versions 1 and 2, as far as
// it is about vectors: /v2/embed and /v1/embed with floats, bytes and bits, and
// /v2/rerank, where vLLM's clients post as well.
//
// It converts only; see package dialect.
package cohere

import (
	"net/http"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/openai"
)

// New returns the dialect.
func New() dialect.Dialect {
	post := func(path string, decode func(*dialect.Call) (*dialect.Request, error)) dialect.Route {
		return dialect.Route{Method: http.MethodPost, Path: path, Decode: decode, Fail: fail}
	}
	return dialect.Dialect{
		Name: "cohere", OpenAPI: openAPI,
		Routes: []dialect.Route{
			post("/v2/embed", decodeEmbed),
			post("/v1/embed", decodeEmbedV1),
			post("/v2/rerank", decodeRerank),
		},
	}
}

// decodeRerank reads vLLM's body, which is Cohere's and more. Cohere cuts documents
// that are too long.
func decodeRerank(c *dialect.Call) (*dialect.Request, error) {
	r, err := openai.DecodeRerank(c, func(a *dialect.Answer, r *dialect.Result) {
		a.Raw(`,"meta":`)
		encodeMeta(a, r, "2", `"search_units":1`)
	})
	if err != nil {
		return nil, err
	}
	r.Truncates = true
	return r, nil
}

// fail writes Cohere's {"message"}, and beside it what vLLM's clients read.
func fail(a *dialect.Answer, e *dialect.Error) {
	a.Raw(`{"message":`)
	a.String(e.Message)
	a.Raw(`,`)
	openai.EncodeError(a, e)
	a.Raw(`}`)
}

// encodeMeta writes the account of a request. Cohere's clients show warnings to
// their users.
func encodeMeta(a *dialect.Answer, r *dialect.Result, version, billed string) {
	a.Raw(`{"api_version":{"version":"` + version + `"},"billed_units":{` + billed + `},"tokens":{"input_tokens":`)
	a.Int(r.InputTokens)
	a.Raw(`}`)
	if r.Truncated > 0 {
		a.Raw(`,"warnings":["`)
		a.Int(r.Truncated)
		a.Raw(` of the inputs were longer than the model or the request allows and were cut"]`)
	}
	a.Raw(`}`)
}
