// Package fastapi speaks the language of the FastAPI-style embedding services:
// /embeddings, /embeddings/batch, /similarity, /search, /health and /stats, with
// parameters in the body or in the query, and bodies that are a bare list or
// string.
//
// It converts only; see package dialect.
package fastapi

import (
	"net/http"
	"time"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// Limits of the original.
const (
	batchesAtOnce = 2      // /embeddings/batch takes that many times the largest batch
	corpusTexts   = 10_000 // /search
)

// maxPairs bounds the answer of /similarity, which grows with the product of its
// two lists.
const maxPairs = 4_000_000

// New returns the dialect.
func New() dialect.Dialect {
	post := func(path string, claims func(*wire.Body) bool, decode func(*dialect.Call) (*dialect.Request, error)) dialect.Route {
		return dialect.Route{Method: http.MethodPost, Path: path, Claims: claims, Decode: decode, Fail: Fail}
	}
	get := func(path string, describe func(*dialect.Answer, *dialect.Info, *dialect.Stats)) dialect.Route {
		return dialect.Route{Method: http.MethodGet, Path: path, Describe: describe, Fail: Fail, Open: true}
	}
	return dialect.Dialect{
		Name: "fastapi",
		Routes: []dialect.Route{
			post("/embeddings", hasTexts, decodeEmbeddings),
			post("/embeddings/batch", nil, decodeBatch),
			post("/similarity", hasTextPair, decodeSimilarity),
			post("/search", nil, decodeSearch),
			get("/health", health),
			get("/stats", stats),
		},
		OpenAPI: openAPI,
	}
}

func hasTexts(b *wire.Body) bool { return b.Bare != nil || b.Has("texts") }

// readTexts reads texts from their field, or from a body that is nothing else.
func readTexts(f *dialect.Fields, name string, limit int, decode func(string, wire.Value, int) ([]string, error)) []string {
	if f.Body.Bare == nil {
		return dialect.Read(f, name, decode, limit)
	}
	texts, err := decode(name, f.Body.Bare, limit)
	if f.Err == nil {
		f.Err = err
	}
	return texts
}

func decodeEmbeddings(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	texts := readTexts(f, "texts", c.Info.ClientBatch, dialect.DecodeTexts)
	return embeddings(f, texts, f.Bool("use_batching") == dialect.No)
}

func decodeBatch(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	texts := readTexts(f, "texts", 0, dialect.DecodeStrings)
	if limit := batchesAtOnce * c.Info.BatchTexts; f.Err == nil && len(texts) > limit {
		return nil, dialect.Errorf(dialect.TooMany, "texts", "Batch size too large. Max: %d, given: %d", limit, len(texts))
	}
	return embeddings(f, texts, false)
}

func embeddings(f *dialect.Fields, texts []string, direct bool) (*dialect.Request, error) {
	normalize := f.Bool("normalize").Or(true)
	r := &dialect.Request{
		Inputs:    dialect.TextInputs(texts),
		Truncates: true,
		Normalize: dialect.ChoiceOf(normalize),
		Direct:    direct,
		Encode: func(a *dialect.Answer, r *dialect.Result) {
			encodeEmbeddings(a, r, normalize, direct)
		},
	}
	f.Prompt(r)
	if f.Err == nil && len(texts) == 0 {
		return nil, dialect.Errorf(dialect.Empty, "texts", "`texts` cannot be empty")
	}
	return r, f.Err
}

func encodeEmbeddings(a *dialect.Answer, r *dialect.Result, normalized, direct bool) {
	a.Raw(`{"embeddings":`)
	a.List(len(r.Vectors), func(i int) { a.Vector(r.Vectors[i]) })
	a.Raw(`,"model":`)
	a.String(r.Model)
	a.Raw(`,"embedding_dim":`)
	a.Int(r.Dim())
	a.Raw(`,"num_embeddings":`)
	a.Int(len(r.Vectors))
	a.Raw(`,"processing_time_ms":`)
	a.Float64(milliseconds(r.Times.Total))
	if !direct {
		a.Raw(`,"batch_size":`)
		a.Int(r.BatchRequests)
		a.Raw(`,"total_batch_texts":`)
		a.Int(r.BatchTexts)
	}
	a.Raw(`,"normalized":`)
	a.Bool(normalized)
	a.Raw(`}`)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func health(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) {
	status := "healthy"
	if !s.Ready {
		a.Status, status = http.StatusServiceUnavailable, "unavailable"
	}
	a.Raw(`{"status":`)
	a.String(status)
	a.Raw(`,`)
	EncodeStats(a, i, s)
	a.Raw(`}`)
}

func stats(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) {
	a.Raw(`{`)
	EncodeStats(a, i, s)
	a.Raw(`}`)
}

// EncodeStats writes the members of /stats.
func EncodeStats(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) {
	a.Raw(`"model_name":`)
	a.String(i.Model)
	a.Raw(`,"device":`)
	a.String(i.Device)
	for _, count := range []struct {
		name string
		n    int
	}{
		{"processed_batches", int(s.Batches)}, {"total_embeddings", int(s.Texts)}, {"queue_size", s.Waiting},
		{"max_batch_size", i.BatchTexts}, {"target_batch_size", i.TargetBatch},
	} {
		a.Raw(`,"` + count.name + `":`)
		a.Int(count.n)
	}
	a.Raw(`,"avg_batch_size":`)
	a.Float64(s.AverageBatch)
}
