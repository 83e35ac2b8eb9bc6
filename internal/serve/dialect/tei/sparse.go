package tei

import "github.com/paceline/paceline/internal/serve/dialect"

func decodeEmbedSparse(c *dialect.Call) (*dialect.Request, error) {
	_, r, err := readEmbed(c)
	r.Want, r.Normalize = dialect.Sparse, dialect.No
	r.Encode = func(a *dialect.Answer, r *dialect.Result) {
		setHeaders(a, r)
		a.List(len(r.Vectors), func(i int) { encodeSparse(a, r.Vectors[i]) })
	}
	return r, err
}

// encodeSparse writes the weights that are not 0.
func encodeSparse(a *dialect.Answer, weights []float32) {
	begun := false
	a.Raw(`[`)
	for i, w := range weights {
		if w == 0 {
			continue
		}
		if begun {
			a.Raw(`,`)
		}
		begun = true
		a.Raw(`{"index":`)
		a.Int(i)
		a.Raw(`,"value":`)
		a.Float(w)
		a.Raw(`}`)
	}
	a.Raw(`]`)
}
