package openai

import (
	"github.com/paceline/paceline/internal/serve/dialect"
)

func decodeClassify(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	r := readInputs(f)
	readActivation(f, r)
	if f.Err != nil {
		return nil, f.Err
	}
	var labels []string
	r.Want = dialect.Scores
	r.Adapt = append(r.Adapt, func(i *dialect.Info) error {
		labels = i.Labels
		return nil
	})
	around := envelopeOf(c, "classify-")
	r.Encode = func(a *dialect.Answer, r *dialect.Result) {
		around.head(a, r)
		a.List(len(r.Scores), func(i int) { encodeClass(a, i, labels, r.Scores[i]) })
		around.tail(a, r)
	}
	return r, nil
}

func encodeClass(a *dialect.Answer, index int, labels []string, scores []float32) {
	best := 0
	for i, s := range scores {
		if s > scores[best] {
			best = i
		}
	}
	a.Raw(`{"index":`)
	a.Int(index)
	a.Raw(`,"label":`)
	a.String(labels[best])
	a.Raw(`,"probs":`)
	a.Vector(scores)
	a.Raw(`,"num_classes":`)
	a.Int(len(scores))
	a.Raw(`}`)
}
