// Package openai speaks the language of OpenAI's embeddings API with vLLM's
// additions: /v1/embeddings with texts or token ids, float, base64 and raw bytes,
// truncation by request, and /v1/models, /version and /health.
//
// It converts only; see package dialect.
package openai

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// New returns the dialect.
func New() dialect.Dialect {
	get := func(path string, describe func(*dialect.Answer, *dialect.Info, *dialect.Stats), open bool) dialect.Route {
		return dialect.Route{Method: http.MethodGet, Path: path, Describe: describe, Fail: fail, Open: open}
	}
	post := func(path string) dialect.Route {
		return dialect.Route{Method: http.MethodPost, Path: path, Claims: HasInput, Decode: Decode, Fail: fail}
	}
	return dialect.Dialect{
		Name: "openai",
		Routes: []dialect.Route{
			post("/v1/embeddings"),
			post("/embeddings"),
			get("/v1/models", models, false),
			get("/version", version, true),
			get("/health", health, true),
			get("/ping", health, true),
		},
		OpenAPI: openAPI,
	}
}

// HasInput tells an OpenAI body from others on a shared path.
func HasInput(b *wire.Body) bool { return b.Has("input") }

// Decode reads an embeddings request.
func Decode(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	r := &dialect.Request{
		Model:        f.String("model", ""),
		Inputs:       dialect.Read(f, "input", dialect.DecodeInputs, c.Info.ClientBatch),
		Normalize:    dialect.Yes,
		NoSpecial:    !f.Bool("add_special_tokens").Or(true),
		TruncateLeft: f.OneOf("truncation_side", "right", "left") == "left",
		Dimensions:   f.Int("dimensions", 0),
	}
	out := readOutput(f)
	most := c.InfoOf(r.Model).MaxTokens
	switch limit := f.Int("truncate_prompt_tokens", 0); {
	case f.Err != nil:
		return nil, f.Err
	case len(r.Inputs) == 0:
		return nil, dialect.Errorf(dialect.Empty, "input", "`input` cannot be an empty list")
	case f.Body.Has("dimensions") && r.Dimensions < 1:
		return nil, dialect.Errorf(dialect.Value, "dimensions", "`dimensions` must be at least 1, is %d", r.Dimensions)
	case limit < -1 || limit == 0 && f.Body.Has("truncate_prompt_tokens"):
		return nil, dialect.Errorf(dialect.Value, "truncate_prompt_tokens", "`truncate_prompt_tokens` must be -1 (the model's limit) or at least 1, is %d", limit)
	case most > 0 && limit > most:
		return nil, dialect.Errorf(dialect.Value, "truncate_prompt_tokens", "`truncate_prompt_tokens` is %d and the model takes at most %d tokens: please send a value up to that", limit, most)
	case limit != 0:
		r.Truncate, r.MaxTokens = dialect.Yes, max(limit, 0)
	}
	for i := range r.Inputs {
		if in := &r.Inputs[i]; in.IDs != nil && len(in.IDs) == 0 {
			return nil, dialect.Errorf(dialect.Empty, "input", "`input` number %d is an empty list of token ids", i)
		}
	}
	out.id, out.created = c.ID, c.Time.Unix()
	r.Encode = out.encode
	return r, nil
}

// output is how vectors are to be written.
type output struct {
	format  string // float, base64, bytes, bytes_only
	order   binary.ByteOrder
	endian  string
	id      string
	created int64
}

func readOutput(f *dialect.Fields) output {
	o := output{format: f.OneOf("encoding_format", "float", "base64", "bytes", "bytes_only")}
	f.OneOf("embed_dtype", "float32")
	o.endian = f.OneOf("endianness", "native", "little", "big")
	o.order = binary.LittleEndian // native, on every machine this runs on
	if o.endian == "big" {
		o.order = binary.BigEndian
	}
	return o
}

func (o output) encode(a *dialect.Answer, r *dialect.Result) {
	if o.format == "bytes" || o.format == "bytes_only" {
		o.encodeBytes(a, r)
		return
	}
	o.head(a, r)
	a.List(len(r.Vectors), func(i int) {
		a.Raw(`{"object":"embedding","index":`)
		a.Int(i)
		a.Raw(`,"embedding":`)
		if o.format == "base64" {
			a.Base64(r.Vectors[i], o.order)
		} else {
			a.Vector(r.Vectors[i])
		}
		a.Raw(`}`)
	})
	tail(a, r)
}

func (o output) head(a *dialect.Answer, r *dialect.Result) {
	a.Raw(`{"id":`)
	a.String("embd-" + o.id)
	a.Raw(`,"object":"list","created":`)
	a.Int(int(o.created))
	a.Raw(`,"model":`)
	a.String(r.Model)
	a.Raw(`,"data":`)
}

func tail(a *dialect.Answer, r *dialect.Result) {
	a.Raw(`,"usage":{"prompt_tokens":`)
	a.Int(r.InputTokens)
	a.Raw(`,"total_tokens":`)
	a.Int(r.InputTokens)
	a.Raw(`}}`)
}

// encodeBytes writes the vectors one after another and says in the header
// "metadata" where each lies, as vLLM does.
func (o output) encodeBytes(a *dialect.Answer, r *dialect.Result) {
	a.Set("Content-Type", "application/octet-stream")
	if o.format == "bytes" {
		a.Set("Metadata", o.metadata(r))
	}
	for _, v := range r.Vectors {
		a.Floats(v, o.order)
	}
}

func (o output) metadata(r *dialect.Result) string {
	var s strings.Builder
	w := wire.NewWriter(&s)
	a := &dialect.Answer{Writer: w}
	o.head(a, r)
	offset := 0
	a.List(len(r.Vectors), func(i int) {
		dim := len(r.Vectors[i])
		a.Raw(fmt.Sprintf(`{"index":%d,"embed_dtype":"float32","endianness":%q,"start":%d,"end":%d,"shape":[%d]}`,
			i, o.endian, offset, offset+4*dim, dim))
		offset += 4 * dim
	})
	tail(a, r)
	w.Close() // a Builder takes everything
	return s.String()
}
