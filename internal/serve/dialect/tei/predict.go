package tei

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// decodePredict reads what a classifier judges: a text, a pair, or a list of
// either.
func decodePredict(c *dialect.Call) (*dialect.Request, error) {
	f := readFields(c)
	v, ok := c.Body.Get("inputs")
	if !ok {
		return nil, wire.Missing("inputs")
	}
	inputs, single, err := decodePairs("inputs", v, c.Info.ClientBatch)
	if err != nil {
		return nil, err
	}
	r := &dialect.Request{Want: dialect.Scores, Inputs: inputs}
	readOptions(f, r)
	if f.Bool("raw_scores") == dialect.Yes {
		r.Activation = dialect.Logits
	}
	if f.Err != nil {
		return nil, f.Err
	}
	var labels []string
	r.Adapt = append(r.Adapt, func(i *dialect.Info) error {
		labels = i.Labels
		return nil
	})
	r.Encode = func(a *dialect.Answer, result *dialect.Result) {
		setHeaders(a, result)
		if single {
			encodePrediction(a, labels, result.Scores[0])
			return
		}
		a.List(len(result.Scores), func(i int) { encodePrediction(a, labels, result.Scores[i]) })
	}
	return r, checkInputs(inputs)
}

// decodePairs reads "a" or ["a"], ["a", "b"], or a list of such lists. single
// tells the first two, which are one input, from the last. It keeps at most limit
// inputs.
func decodePairs(field string, v wire.Value, limit int) (inputs []dialect.Input, single bool, err error) {
	switch v.Kind() {
	case '"':
		text, err := wire.String(field, v)
		return []dialect.Input{{Text: text}}, true, err
	case '[':
	default:
		return nil, false, wire.Wrong(field, "a string, a pair of strings or a list of such", v.Kind())
	}
	dec := wire.NewDecoder(v)
	if _, err := dec.ReadToken(); err != nil { // the bracket
		return nil, false, err
	}
	if dec.PeekKind() == '"' {
		in, err := decodePair(dec, func() string { return field })
		return []dialect.Input{in}, true, err
	}
	for n := 0; ; n++ {
		at := func() string { return fmt.Sprintf("%s[%d]", field, n) }
		t, err := dec.ReadToken()
		switch {
		case err != nil:
			return nil, false, err
		case t.Kind() == ']':
			return inputs, false, dialect.CheckCount(n, limit)
		case t.Kind() != '[':
			return nil, false, wire.Wrong(at(), "a list of one or two strings", t.Kind())
		}
		in, err := decodePair(dec, at)
		if err != nil {
			return nil, false, err
		}
		if limit == 0 || n < limit {
			inputs = append(inputs, in)
		}
	}
}

// decodePair reads one or two strings up to the closing bracket.
func decodePair(dec *jsontext.Decoder, at func() string) (in dialect.Input, err error) {
	for n := 0; ; n++ {
		t, err := dec.ReadToken()
		switch {
		case err != nil:
			return in, err
		case t.Kind() == ']' && n > 0:
			return in, nil
		case t.Kind() == ']' || n == 2:
			return in, &wire.FieldError{Field: at(), Problem: "must have one or two strings"}
		case t.Kind() != '"':
			return in, wire.Wrong(fmt.Sprintf("%s[%d]", at(), n), "a string", t.Kind())
		case n == 0:
			in.Text = t.String()
		default:
			second := t.String()
			in.Second = &second
		}
	}
}

// encodePrediction writes the labels, the likeliest first.
func encodePrediction(a *dialect.Answer, labels []string, scores []float32) {
	order := highestFirst(len(scores), func(i int) float32 { return scores[i] })
	a.List(len(order), func(i int) {
		a.Raw(`{"score":`)
		a.Float(scores[order[i]])
		a.Raw(`,"label":`)
		a.String(labels[order[i]])
		a.Raw(`}`)
	})
}

// highestFirst orders 0 to n-1 as TEI does: by rising score, equal ones as they
// came, and then all of that backwards.
func highestFirst(n int, score func(i int) float32) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch a, b := score(i), score(j); {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
	slices.Reverse(order)
	return order
}
