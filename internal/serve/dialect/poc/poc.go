// Package poc speaks the language of the proof-of-concept services that compare
// HuggingFace/LangChain with vLLM: /embed with texts, and /health.
//
// Those are FastAPI applications too, so their errors are package fastapi's. It
// converts only; see package dialect.
package poc

import (
	"net/http"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/fastapi"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// New returns the dialect. The backend is what /health names: "huggingface" or
// "vllm" in the original. vLLM scales its vectors to length 1 whatever the
// model's own pipeline says, and HuggingFace does as the model says.
func New(backend string) dialect.Dialect {
	normalize := dialect.Unset
	if backend == "vllm" {
		normalize = dialect.Yes
	}
	return dialect.Dialect{
		Name: "poc",
		Routes: []dialect.Route{
			{
				Method: http.MethodPost, Path: "/embed", Fail: fastapi.Fail,
				Claims: func(b *wire.Body) bool { return b.Has("texts") },
				Decode: func(c *dialect.Call) (*dialect.Request, error) { return decode(c, normalize) },
			},
			{
				Method: http.MethodGet, Path: "/health", Fail: fastapi.Fail, Open: true,
				Describe: func(a *dialect.Answer, i *dialect.Info, s *dialect.Stats) { health(a, i, s, backend) },
			},
		},
		OpenAPI: openAPI,
	}
}

func decode(c *dialect.Call, normalize dialect.Choice) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	texts := dialect.Read(f, "texts", dialect.DecodeStrings, c.Info.ClientBatch)
	r := &dialect.Request{
		Inputs:    dialect.TextInputs(texts),
		Truncates: true,
		Normalize: normalize,
		Encode:    encode,
	}
	f.Prompt(r)
	if f.Err == nil && len(texts) == 0 {
		return nil, dialect.Errorf(dialect.Empty, "texts", "`texts` cannot be empty")
	}
	return r, f.Err
}

func encode(a *dialect.Answer, r *dialect.Result) {
	a.Raw(`{"embeddings":`)
	a.List(len(r.Vectors), func(i int) { a.Vector(r.Vectors[i]) })
	a.Raw(`,"model":`)
	a.String(r.Model)
	a.Raw(`,"num_embeddings":`)
	a.Int(len(r.Vectors))
	a.Raw(`,"embedding_dim":`)
	a.Int(r.Dim())
	a.Raw(`}`)
}

func health(a *dialect.Answer, i *dialect.Info, s *dialect.Stats, backend string) {
	status := "healthy"
	if !s.Ready {
		a.Status, status = http.StatusServiceUnavailable, "unavailable"
	}
	a.Raw(`{"status":`)
	a.String(status)
	a.Raw(`,"backend":`)
	a.String(backend)
	a.Raw(`,"model":`)
	a.String(i.Model)
	a.Raw(`,"gpu_available":`)
	a.Bool(i.Device != "cpu")
	a.Raw(`}`)
}
