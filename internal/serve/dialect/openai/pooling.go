package openai

import (
	"slices"

	"github.com/paceline/paceline/internal/serve/dialect"
)

// decodePooling reads a request for what the model's head gives: a vector an
// input, one a token, or a classifier's scores.
func decodePooling(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	r := readInputs(f)
	readActivation(f, r)
	out := readOutput(f, "pooling-", "pooling", "data")
	task := f.OneOf("task", "", "embed", "token_embed", "classify")
	switch {
	case f.Err != nil:
		return nil, f.Err
	case f.Body.Has("dimensions"):
		return nil, dialect.Errorf(dialect.Value, "dimensions", "`dimensions` is not supported by /pooling: ask /v1/embeddings")
	}
	r.Adapt = append(r.Adapt, func(i *dialect.Info) error {
		switch {
		case task == "token_embed":
			r.Want = dialect.TokenVectors
		case task == "classify", task == "" && (i.Head == dialect.Classifier || i.Head == dialect.Reranker):
			r.Want = dialect.Scores
		}
		return nil
	})
	r.Encode = func(a *dialect.Answer, result *dialect.Result) {
		out.encode(a, result, func(i int) tensor { return pooled(r.Want, result, i) }, len(r.Inputs))
	}
	return r, nil
}

// pooled is the output of one input.
func pooled(want dialect.Want, r *dialect.Result, i int) tensor {
	switch want {
	case dialect.TokenVectors:
		rows := r.TokenVectors[i]
		t := tensor{shape: []int{len(rows), 0}, values: slices.Concat(rows...)}
		if len(rows) > 0 {
			t.shape[1] = len(rows[0])
		}
		return t
	case dialect.Scores:
		return tensor{r.Scores[i], []int{len(r.Scores[i])}}
	default:
		return tensor{r.Vectors[i], []int{len(r.Vectors[i])}}
	}
}
