package fastapi

import (
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
	"github.com/paceline/paceline/internal/similarity"
)

func hasTextPair(b *wire.Body) bool { return b.Has("texts1") || b.Has("texts2") }

func decodeSimilarity(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	left := dialect.Read(f, "texts1", dialect.DecodeStrings, c.Info.ClientBatch)
	right := dialect.Read(f, "texts2", dialect.DecodeStrings, c.Info.ClientBatch)
	method := f.OneOf("method", similarity.Methods...)
	normalize := f.Bool("normalize").Or(true)
	r := &dialect.Request{
		Inputs:    dialect.TextInputs(left, right),
		Truncates: true,
		Normalize: dialect.ChoiceOf(normalize),
		Encode: func(a *dialect.Answer, r *dialect.Result) {
			encodeSimilarity(a, r.Vectors[:len(left)], r.Vectors[len(left):], method)
		},
	}
	f.Prompt(r)
	switch {
	case f.Err != nil:
		return nil, f.Err
	case len(left) == 0 || len(right) == 0:
		return nil, dialect.Errorf(dialect.Empty, "texts1", "`texts1` and `texts2` cannot be empty: they have %d and %d texts", len(left), len(right))
	case len(left)*len(right) > maxPairs:
		return nil, dialect.Errorf(dialect.TooMany, "texts1", "%d x %d texts make %d similarities; the limit is %d: send fewer texts at a time",
			len(left), len(right), len(left)*len(right), maxPairs)
	}
	return r, nil
}

func encodeSimilarity(a *dialect.Answer, left, right [][]float32, method string) {
	measure, _ := similarity.ByName(method) // one of Methods
	row := make([]float32, len(right))
	a.Raw(`{"similarities":`)
	a.List(len(left), func(i int) {
		if a.Broken() {
			return // the client has left: no more arithmetic
		}
		for j := range right {
			row[j] = measure(left[i], right[j])
		}
		a.Vector(row)
	})
	a.Raw(`,"method":`)
	a.String(method)
	a.Raw(`,"shape":[`)
	a.Int(len(left))
	a.Raw(`,`)
	a.Int(len(right))
	a.Raw(`],"texts1_count":`)
	a.Int(len(left))
	a.Raw(`,"texts2_count":`)
	a.Int(len(right))
	a.Raw(`}`)
}

func decodeSearch(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	corpus := readTexts(f, "corpus", 0, dialect.DecodeStrings)
	query := f.String("query", "")
	topK := f.Int("top_k", 10)
	method := f.OneOf("similarity_method", similarity.Methods...)
	r := &dialect.Request{
		Inputs:    dialect.TextInputs([]string{query}, corpus),
		Truncates: true,
		Normalize: dialect.Yes,
		Encode: func(a *dialect.Answer, r *dialect.Result) {
			encodeSearch(a, r, search{query, corpus, topK, method})
		},
	}
	r.Inputs[0].Prompt, r.Inputs[0].PromptName = f.String("prompt", ""), f.String("prompt_name", "")
	switch {
	case f.Err != nil:
		return nil, f.Err
	case !f.Body.Has("query") && !f.Query.Has("query"):
		return nil, wire.Missing("query")
	case len(corpus) == 0:
		return nil, dialect.Errorf(dialect.Empty, "corpus", "`corpus` cannot be empty")
	case len(corpus) > corpusTexts:
		return nil, dialect.Errorf(dialect.TooMany, "corpus", "Corpus too large for real-time search. Max: 10,000 texts, given: %d", len(corpus))
	case topK < 1:
		return nil, dialect.Errorf(dialect.Value, "top_k", "`top_k` must be at least 1, is %d", topK)
	}
	return r, nil
}

type search struct {
	query  string
	corpus []string
	topK   int
	method string
}

func encodeSearch(a *dialect.Answer, r *dialect.Result, s search) {
	measure, _ := similarity.ByName(s.method) // one of Methods
	found := similarity.Nearest(r.Vectors[0], r.Vectors[1:], s.topK, measure)
	a.Raw(`{"query":`)
	a.String(s.query)
	a.Raw(`,"results":`)
	a.List(len(found), func(i int) {
		a.Raw(`{"text":`)
		a.String(s.corpus[found[i].Index])
		a.Raw(`,"similarity":`)
		a.Float(found[i].Score)
		a.Raw(`,"index":`)
		a.Int(found[i].Index)
		a.Raw(`}`)
	})
	a.Raw(`,"search_time_ms":`)
	a.Float64(milliseconds(r.Times.Total))
	a.Raw(`,"corpus_size":`)
	a.Int(len(s.corpus))
	a.Raw(`,"similarity_method":`)
	a.String(s.method)
	a.Raw(`}`)
}
