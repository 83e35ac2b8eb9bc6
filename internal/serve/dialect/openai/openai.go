// Package openai speaks the language of OpenAI's embeddings API and of what vLLM
// adds to it (its entrypoints/pooling): /v1/embeddings with texts or token ids,
// floats, base64 and raw bytes, truncation by request; /pooling, /score, /rerank,
// /classify, /tokenize, /detokenize; /v1/models, /version and /health.
//
// It converts only; see package dialect.
package openai

import (
	"net/http"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// New returns the dialect.
func New() dialect.Dialect {
	d := dialect.Dialect{Name: "openai", OpenAPI: openAPI}
	post := func(claims func(*wire.Body) bool, decode func(*dialect.Call) (*dialect.Request, error), paths ...string) {
		for _, path := range paths {
			d.Routes = append(d.Routes, dialect.Route{Method: http.MethodPost, Path: path, Claims: claims, Decode: decode, Fail: Fail})
		}
	}
	post(HasInput, Decode, "/v1/embeddings", "/embeddings")
	post(nil, decodePooling, "/pooling")
	post(nil, decodeClassify, "/classify")
	post(nil, decodeScore, "/score", "/v1/score")
	post(hasDocuments, decodeRerank, "/rerank", "/v1/rerank")
	post(hasPrompt, decodeTokenize, "/tokenize")
	post(nil, decodeDetokenize, "/detokenize")
	get := func(describe func(*dialect.Answer, *dialect.Info, *dialect.Stats), open bool, method, path string) {
		d.Routes = append(d.Routes, dialect.Route{Method: method, Path: path, Describe: describe, Fail: Fail, Open: open})
	}
	get(models, false, http.MethodGet, "/v1/models")
	get(version, true, http.MethodGet, "/version")
	get(health, true, http.MethodGet, "/health")
	get(health, true, http.MethodGet, "/ping")
	get(health, true, http.MethodPost, "/ping") // as SageMaker asks
	return d
}

// HasInput tells an OpenAI body from others on a shared path.
func HasInput(b *wire.Body) bool { return b.Has("input") || b.Has("messages") }

func hasDocuments(b *wire.Body) bool { return b.Has("documents") }

func hasPrompt(b *wire.Body) bool { return b.Has("prompt") || b.Has("messages") }
