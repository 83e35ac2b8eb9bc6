package tei

import (
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// The routes below want a model with a head of another kind. On an embedding
// model TEI reads the request, then says what the model is not.

func decodeEmbedSparse(c *dialect.Call) (*dialect.Request, error) {
	if _, _, err := readEmbed(c); err != nil {
		return nil, err
	}
	return nil, dialect.Errorf(dialect.Unsupported, "", "Model is not an embedding model with SPLADE pooling")
}

func decodePredict(c *dialect.Call) (*dialect.Request, error) {
	v, ok := c.Body.Get("inputs")
	if !ok {
		return nil, wire.Missing("inputs")
	}
	if k := v.Kind(); k != '"' && k != '[' {
		return nil, wire.Wrong("inputs", "a string, a pair of strings or a list of such", k)
	}
	return nil, dialect.Errorf(dialect.Unsupported, "", "Model is not a classifier model")
}

func decodeRerank(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	texts := dialect.Read(f, "texts", dialect.DecodeStrings, 0)
	switch {
	case f.Err == nil && !f.Body.Has("query"):
		return nil, wire.Missing("query")
	case f.Err != nil:
		return nil, f.Err
	case len(texts) == 0:
		return nil, dialect.Errorf(dialect.Empty, "texts", "`texts` cannot be empty")
	}
	return nil, dialect.Errorf(dialect.Unsupported, "", "model is not a re-ranker model")
}
