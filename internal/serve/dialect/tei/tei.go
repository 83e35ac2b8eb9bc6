// Package tei speaks the language of Hugging Face's text-embeddings-inference
// 1.9 (its router's http/server.rs and http/types.rs): /embed, /embed_all,
// /embed_sparse, /predict, /rerank, /similarity, /tokenize, /decode and /info.
// Where a model has another head than a route needs, it answers as TEI does, with
// 424 and the words for it.
//
// It converts only; see package dialect.
package tei

import (
	"net/http"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/openai"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// New returns the dialect.
func New() dialect.Dialect {
	d := dialect.Dialect{Name: "tei", OpenAPI: openAPI}
	post := func(path string, claims func(*wire.Body) bool, decode func(*dialect.Call) (*dialect.Request, error)) {
		d.Routes = append(d.Routes, dialect.Route{Method: http.MethodPost, Path: path, Claims: claims, Decode: decode, Fail: fail})
	}
	post("/{$}", nil, decodeRoot)
	post("/invocations", nil, decodeRoot)
	post("/embed", hasListedInputs, decodeEmbed)
	post("/similarity", hasSentences, decodeSimilarity)
	post("/embed_all", nil, decodeEmbedAll)
	post("/embed_sparse", nil, decodeEmbedSparse)
	post("/predict", nil, decodePredict)
	post("/rerank", hasTextList, decodeRerank)
	post("/tokenize", nil, decodeTokenize)
	post("/decode", nil, decodeDecode)
	for _, path := range []string{"/v1/embeddings", "/embeddings"} {
		d.Routes = append(d.Routes, dialect.Route{
			Method: http.MethodPost, Path: path, Claims: openai.HasInput, Decode: decodeOpenAI, Fail: failFlat,
		})
	}
	for _, path := range []string{"/health", "/ping", "/{$}"} {
		d.Routes = append(d.Routes, dialect.Route{Method: http.MethodGet, Path: path, Describe: health, Fail: fail, Open: true})
	}
	d.Routes = append(d.Routes, Info())
	return d
}

// Info is the route /info, which every profile of the server has.
func Info() dialect.Route {
	return dialect.Route{Method: http.MethodGet, Path: "/info", Describe: info, Fail: fail}
}

// health answers with a status alone while all is well.
func health(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) {
	if !s.Ready {
		fail(a, dialect.Errorf(dialect.Unavailable, "", "unhealthy"))
	}
}

// fail writes {"error", "error_type"}.
func fail(a *dialect.Answer, e *dialect.Error) {
	status, name := classify(e)
	a.Status = status
	a.Raw(`{"error":`)
	a.String(message(e))
	a.Raw(`,"error_type":`)
	a.String(name)
	a.Raw(`}`)
}

// failFlat writes the error of the OpenAI route, {"message", "code", "type"}.
func failFlat(a *dialect.Answer, e *dialect.Error) {
	status, name := classify(e)
	a.Status = status
	a.Raw(`{"message":`)
	a.String(message(e))
	a.Raw(`,"code":`)
	a.Int(status)
	a.Raw(`,"type":`)
	a.String(name)
	a.Raw(`}`)
}

// classify gives TEI's status and the name of its ErrorType.
func classify(e *dialect.Error) (status int, name string) {
	switch e.Kind {
	case dialect.Empty:
		return http.StatusBadRequest, "Empty"
	case dialect.Field, dialect.Value, dialect.TooMany, dialect.TooLong:
		return http.StatusUnprocessableEntity, "Validation"
	case dialect.Overloaded:
		return http.StatusTooManyRequests, "Overloaded"
	case dialect.Unavailable:
		return http.StatusServiceUnavailable, "Unhealthy"
	case dialect.Unsupported, dialect.Internal:
		return http.StatusFailedDependency, "Backend"
	}
	return e.Kind.Status(), "Validation"
}

func message(e *dialect.Error) string {
	switch e.Kind {
	case dialect.Unsupported, dialect.Internal:
		return "Backend error: " + e.Message
	case dialect.Overloaded:
		return "Model is overloaded: " + e.Message
	case dialect.Empty, dialect.Value, dialect.TooLong:
		return "Input validation error: " + e.Message
	}
	return e.Message
}
