package openai

import (
	"github.com/paceline/paceline/internal/serve/dialect"
)

// Decode reads an embeddings request.
func Decode(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	r := readInputs(f)
	readActivation(f, r)
	r.Dimensions = f.Int("dimensions", 0)
	out := readOutput(f, "embd-", "embedding", "embedding")
	if f.Err == nil && f.Body.Has("dimensions") && r.Dimensions < 1 {
		f.Err = dialect.Errorf(dialect.Value, "dimensions", "`dimensions` must be at least 1, is %d", r.Dimensions)
	}
	if f.Err != nil {
		return nil, f.Err
	}
	r.Encode = func(a *dialect.Answer, r *dialect.Result) {
		out.encode(a, r, func(i int) tensor { return tensor{values: r.Vectors[i], shape: []int{len(r.Vectors[i])}} }, len(r.Vectors))
	}
	return r, nil
}
