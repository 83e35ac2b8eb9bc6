package openai

import (
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
	"github.com/paceline/paceline/internal/similarity"
)

// pairFields are the names under which vLLM takes the two sides, in its order.
var pairFields = [][2]string{{"queries", "documents"}, {"queries", "items"}, {"data_1", "data_2"}, {"text_1", "text_2"}}

func decodeScore(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	left, right, err := scoreFields(f.Body)
	if err != nil {
		return nil, err
	}
	first := dialect.Read(f, left, dialect.DecodeTexts, c.Info.ClientBatch)
	second := dialect.Read(f, right, dialect.DecodeTexts, c.Info.ClientBatch)
	m := readMatch(f)
	switch {
	case f.Err != nil:
		return nil, f.Err
	case len(first) == 0:
		return nil, dialect.Errorf(dialect.Empty, left, "`%s` cannot be empty", left)
	case len(second) == 0:
		return nil, dialect.Errorf(dialect.Empty, right, "`%s` cannot be empty", right)
	case len(first) > 1 && len(first) != len(second):
		return nil, dialect.Errorf(dialect.Value, left, "`%s` and `%s` must be 1:1, 1:N or N:N: they have %d and %d texts", left, right, len(first), len(second))
	}
	around := envelopeOf(c, "score-")
	return m.request(first, second, func(a *dialect.Answer, r *dialect.Result, scores []float32) {
		around.head(a, r)
		a.List(len(scores), func(i int) {
			a.Raw(`{"index":`)
			a.Int(i)
			a.Raw(`,"object":"score","score":`)
			a.Float(scores[i])
			a.Raw(`}`)
		})
		around.tail(a, r)
	}), nil
}

// scoreFields finds the two sides in a body.
func scoreFields(b *wire.Body) (left, right string, err error) {
	for _, names := range pairFields {
		if b.Has(names[0]) && b.Has(names[1]) {
			return names[0], names[1], nil
		}
	}
	for _, names := range pairFields {
		if b.Has(names[0]) {
			return "", "", wire.Missing(names[1])
		}
	}
	return "", "", wire.Missing(pairFields[0][0])
}

// match is a request to say how well texts fit together.
type match struct {
	options          dialect.Request
	keep, keepSecond int
	promptsOfItsOwn  bool
}

// readMatch reads the options that scoring and reranking share.
func readMatch(f *dialect.Fields) *match {
	m := &match{options: dialect.Request{Model: f.String("model", "")}}
	readTruncation(f, &m.options)
	readActivation(f, &m.options)
	f.Prompt(&m.options)
	m.promptsOfItsOwn = m.options.Prompt != "" || m.options.PromptName != ""
	m.keep = readKeep(f, "max_tokens_per_query")
	m.keepSecond = readKeep(f, "max_tokens_per_doc")
	return m
}

func readKeep(f *dialect.Fields, name string) int {
	n := f.Int(name, 0)
	if n < 0 && f.Err == nil {
		f.Err = dialect.Errorf(dialect.Value, name, "`%s` must be at least 1, or 0 for no limit, is %d", name, n)
	}
	return n
}

// request makes a request of two sides, the first of one text or of as many as
// the second. A reranker scores the pairs; of an embedding model the score is the
// cosine. write gets the scores, one for each of the second side.
func (m *match) request(first, second []string, write func(*dialect.Answer, *dialect.Result, []float32)) *dialect.Request {
	r := m.options
	r.Inputs = make([]dialect.Input, len(second))
	for i := range second {
		r.Inputs[i] = dialect.Input{Text: first[min(i, len(first)-1)], Second: &second[i], Keep: m.keep, KeepSecond: m.keepSecond}
	}
	r.Adapt = append(r.Adapt, func(i *dialect.Info) error {
		switch i.Head {
		case dialect.Reranker:
			r.Want = dialect.Scores
		case dialect.Embedding:
			r.Inputs = m.sides(first, second, i)
		default:
			return dialect.Errorf(dialect.Unsupported, "", "the model %s can neither score pairs (it is no reranker) nor be compared by cosine (it is no embedding model)", i.Model)
		}
		return nil
	})
	r.Encode = func(a *dialect.Answer, result *dialect.Result) {
		write(a, result, scoresOf(result, len(first)))
	}
	return &r
}

// sides are the inputs for an embedding model: each text by itself, with the
// model's prompt for its side unless the request has one.
func (m *match) sides(first, second []string, i *dialect.Info) []dialect.Input {
	inputs := dialect.TextInputs(first, second)
	query, document := i.PromptAmong(dialect.QueryPrompts...), i.PromptAmong(dialect.DocumentPrompts...)
	if m.promptsOfItsOwn {
		query, document = "", ""
	}
	for k := range inputs {
		if k < len(first) {
			inputs[k].Keep, inputs[k].PromptName = m.keep, query
		} else {
			inputs[k].Keep, inputs[k].PromptName = m.keepSecond, document
		}
	}
	return inputs
}

// scoresOf are a reranker's scores, or the cosines between the first n vectors and
// the others.
func scoresOf(r *dialect.Result, n int) []float32 {
	if r.Scores != nil {
		scores := make([]float32, len(r.Scores))
		for i := range scores {
			scores[i] = r.Scores[i][0]
		}
		return scores
	}
	scores := make([]float32, len(r.Vectors)-n)
	for i := range scores {
		scores[i] = similarity.Cosine(r.Vectors[min(i, n-1)], r.Vectors[n+i])
	}
	return scores
}
