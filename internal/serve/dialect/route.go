package dialect

import (
	"net/url"
	"slices"
	"time"

	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// Dialect is one language that the server speaks.
type Dialect struct {
	Name    string // fastapi, poc, tei, openai, cohere
	Routes  []Route
	OpenAPI []byte // its part of the OpenAPI document: paths and components, JSON
}

// Route is one method and path of a dialect. It has either Decode or Describe.
type Route struct {
	Method, Path string

	// Claims tells whether a body speaks this dialect, where several share a path.
	// Nil claims every body.
	Claims func(b *wire.Body) bool
	// Decode turns a call into a request. Its errors are *Error or
	// *wire.FieldError.
	Decode func(c *Call) (*Request, error)
	// Describe answers from what the server knows about itself.
	Describe func(a *Answer, i *Info, s *Stats)
	// Fail writes an error as the route's clients expect it.
	Fail func(a *Answer, e *Error)

	Open bool // needs no API key
}

// Call is one HTTP request before it is understood.
type Call struct {
	Body  *wire.Body
	Query url.Values
	ID    string    // of this request
	Time  time.Time // when it came
	Info  *Info     // of the first model, and the limits that all have
	// InfoOf is the Info of the model that a request means by a name.
	InfoOf func(model string) *Info
}

// Head is what a model computes.
type Head int

const (
	Embedding  Head = iota // a vector of each text
	Splade                 // a weight for each token of the vocabulary
	Classifier             // a score of each text or pair for each of several labels
	Reranker               // one score of each pair
)

// Info is what the server knows about itself and what does not change while it
// runs.
type Info struct {
	Version    string
	Profile    string // "" for none
	Model      string // the name under which the model is served
	ModelID    string // the repository
	Revision   string // its commit; "" when unknown
	DType      string // of the engine's arithmetic
	CPULevel   string // the set of CPU instructions in use
	Device     string // "cpu", …
	Policy     string // the batching policy's name
	Head       Head
	Labels     []string // of a classifier or reranker, in the order of its scores
	Prompts    []string // the names of the model's, sorted
	Pooling    string
	Dim        int  // values in a vector
	Calibrated bool // the server has ranges to quantise by
	Threads    int  // of the engine
	Created    int64

	MaxTokens        int // of one input; 0: not known before the model is opened
	ClientBatch      int // inputs in one request; 0: not limited
	BatchTokens      int // in one batch; 0: not limited
	BatchRequests    int // in one batch; 0: not limited
	BatchTexts       int // the window policy's largest batch, which FastAPI-style limits rest on
	TargetBatch      int // what that policy would like a batch to be
	ConcurrentLimit  int // requests at once
	BodyLimit        int64
	TruncatesDefault bool   // cut inputs that are too long unless a request says otherwise
	LongText         string // what the operator wants for them: truncate, chunk-mean or error; "" if nothing
}

// PromptAmong is the first of the names that is one of the model's prompts', or "".
func (i *Info) PromptAmong(names ...string) string {
	for _, name := range names {
		if slices.Contains(i.Prompts, name) {
			return name
		}
	}
	return ""
}

// The names under which sentence-transformers looks for a prompt for queries and
// for one for the texts that are searched (SentenceTransformer.encode_query and
// encode_document).
var (
	QueryPrompts    = []string{"query"}
	DocumentPrompts = []string{"document", "passage", "corpus"}
)

// Served is one model of the server. What it takes an open model to know is there
// from its first opening on.
type Served struct {
	*Info
	Open bool // in memory
}

// Stats is what the server has done so far.
type Stats struct {
	Ready        bool
	Batches      uint64
	Texts        uint64
	AverageBatch float64
	Waiting      int // requests in the queue
	Models       []Served
}
