package openai

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

func decodeRerank(c *dialect.Call) (*dialect.Request, error) { return DecodeRerank(c, nil) }

// DecodeRerank reads a query and the documents to be ordered by it, as vLLM, Jina
// and Cohere take them. more, unless nil, writes further members of the answer.
func DecodeRerank(c *dialect.Call, more func(a *dialect.Answer, r *dialect.Result)) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	query := f.String("query", "")
	documents := dialect.Read(f, "documents", decodeDocuments, c.Info.ClientBatch)
	top := f.Int("top_n", 0)
	withText := f.Bool("return_documents").Or(true)
	m := readMatch(f)
	switch {
	case f.Err == nil && !f.Body.Has("query"):
		return nil, wire.Missing("query")
	case f.Err != nil:
		return nil, f.Err
	case len(documents) == 0:
		return nil, dialect.Errorf(dialect.Empty, "documents", "`documents` cannot be empty")
	case top < 0:
		return nil, dialect.Errorf(dialect.Value, "top_n", "`top_n` must be at least 1, or 0 for all, is %d", top)
	}
	id := "score-" + c.ID
	return m.request([]string{query}, documents, func(a *dialect.Answer, r *dialect.Result, scores []float32) {
		a.Raw(`{"id":`)
		a.String(id)
		a.Raw(`,"model":`)
		a.String(r.Model)
		a.Raw(`,`)
		usage(a, r)
		a.Raw(`,"results":`)
		encodeRanking(a, documents, scores, top, withText)
		if more != nil {
			more(a, r)
		}
		a.Raw(`}`)
	}), nil
}

// decodeDocuments reads one document or a list of them, each a string or an
// object with its text.
func decodeDocuments(field string, v wire.Value, limit int) ([]string, error) {
	if v.Kind() != '[' {
		return dialect.DecodeTexts(field, v, limit)
	}
	dec := wire.NewDecoder(v)
	if _, err := dec.ReadToken(); err != nil { // the bracket
		return nil, err
	}
	var documents []string
	for n := 0; ; n++ {
		if dec.PeekKind() == ']' {
			return documents, dialect.CheckCount(n, limit)
		}
		item, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		text, err := documentText(fmt.Sprintf("%s[%d]", field, n), item)
		if err != nil {
			return nil, err
		}
		if limit == 0 || n < limit {
			documents = append(documents, text)
		}
	}
}

func documentText(field string, v wire.Value) (string, error) {
	if v.Kind() != '{' {
		return wire.String(field, v)
	}
	body, err := wire.ParseBody(v)
	if err != nil {
		return "", err
	}
	text, ok := body.Get("text")
	if !ok {
		return "", wire.Missing(field + ".text")
	}
	return wire.String(field+".text", text)
}

// encodeRanking writes the best documents, equal ones as they came.
func encodeRanking(a *dialect.Answer, documents []string, scores []float32, top int, withText bool) {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) })
	if top > 0 && top < len(order) {
		order = order[:top]
	}
	a.List(len(order), func(i int) {
		a.Raw(`{"index":`)
		a.Int(order[i])
		if withText {
			a.Raw(`,"document":{"text":`)
			a.String(documents[order[i]])
			a.Raw(`,"multi_modal":null}`)
		}
		a.Raw(`,"relevance_score":`)
		a.Float(scores[order[i]])
		a.Raw(`}`)
	})
}
