package tei

import (
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// decodeRerank reads a query and the texts to be ordered by it.
func decodeRerank(c *dialect.Call) (*dialect.Request, error) {
	f := readFields(c)
	query := f.String("query", "")
	texts := dialect.Read(f, "texts", dialect.DecodeStrings, c.Info.ClientBatch)
	r := &dialect.Request{Want: dialect.Scores, Adapt: []func(*dialect.Info) error{needReranker}}
	readOptions(f, r)
	if f.Bool("raw_scores") == dialect.Yes {
		r.Activation = dialect.Logits
	}
	withText := f.Bool("return_text") == dialect.Yes
	switch {
	case f.Err == nil && !f.Body.Has("query"):
		return nil, wire.Missing("query")
	case f.Err != nil:
		return nil, f.Err
	case len(texts) == 0:
		return nil, dialect.Errorf(dialect.Empty, "texts", "`texts` cannot be empty")
	}
	r.Inputs = dialect.PairInputs(query, texts)
	r.Encode = func(a *dialect.Answer, result *dialect.Result) {
		setHeaders(a, result)
		encodeRanks(a, texts, result.Scores, withText)
	}
	return r, checkInputs(r.Inputs)
}

func needReranker(i *dialect.Info) error {
	if i.Head != dialect.Reranker {
		return dialect.Errorf(dialect.Unsupported, "", "model is not a re-ranker model")
	}
	return nil
}

func encodeRanks(a *dialect.Answer, texts []string, scores [][]float32, withText bool) {
	order := highestFirst(len(scores), func(i int) float32 { return scores[i][0] })
	a.List(len(order), func(i int) {
		a.Raw(`{"index":`)
		a.Int(order[i])
		if withText {
			a.Raw(`,"text":`)
			a.String(texts[order[i]])
		}
		a.Raw(`,"score":`)
		a.Float(scores[order[i]][0])
		a.Raw(`}`)
	})
}
