package tei

import (
	"fmt"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

func decodeTokenize(c *dialect.Call) (*dialect.Request, error) {
	f := readFields(c)
	texts := dialect.Read(f, "inputs", dialect.DecodeTexts, c.Info.ClientBatch)
	r := &dialect.Request{
		Want:      dialect.Tokens,
		Inputs:    dialect.TextInputs(texts),
		NoSpecial: !f.Bool("add_special_tokens").Or(true),
		Encode:    encodeTokens,
	}
	f.Prompt(r)
	if f.Err != nil {
		return nil, f.Err
	}
	return r, checkInputs(r.Inputs)
}

func encodeTokens(a *dialect.Answer, r *dialect.Result) {
	a.List(len(r.Tokens), func(i int) {
		tokens := r.Tokens[i]
		a.List(len(tokens), func(j int) { encodeToken(a, &tokens[j]) })
	})
}

func encodeToken(a *dialect.Answer, t *dialect.Token) {
	a.Raw(`{"id":`)
	a.Int(int(t.ID))
	a.Raw(`,"text":`)
	a.String(t.Text)
	a.Raw(`,"special":`)
	a.Bool(t.Special)
	if t.Special {
		a.Raw(`,"start":null,"stop":null}`)
		return
	}
	a.Raw(`,"start":`)
	a.Int(t.Start)
	a.Raw(`,"stop":`)
	a.Int(t.Stop)
	a.Raw(`}`)
}

func decodeDecode(c *dialect.Call) (*dialect.Request, error) {
	f := readFields(c)
	r := &dialect.Request{
		Want:        dialect.Texts,
		Inputs:      dialect.Read(f, "ids", decodeIDLists, c.Info.ClientBatch),
		SkipSpecial: f.Bool("skip_special_tokens").Or(true),
		Encode: func(a *dialect.Answer, r *dialect.Result) {
			a.List(len(r.Texts), func(i int) { a.String(r.Texts[i]) })
		},
	}
	if f.Err != nil {
		return nil, f.Err
	}
	if len(r.Inputs) == 0 {
		return nil, dialect.Errorf(dialect.Empty, "ids", "`ids` cannot be empty")
	}
	for i := range r.Inputs {
		if len(r.Inputs[i].IDs) == 0 {
			return nil, dialect.Errorf(dialect.Empty, "ids", "`input_ids` cannot be empty: number %d is", i)
		}
	}
	return r, nil
}

// decodeIDLists reads a list of ids or a list of such lists.
func decodeIDLists(field string, v wire.Value, limit int) ([]dialect.Input, error) {
	inputs, err := dialect.DecodeInputs(field, v, limit)
	for i := range inputs {
		if err == nil && inputs[i].IDs == nil {
			return nil, wire.Wrong(fmt.Sprintf("%s[%d]", field, i), "a list of token ids", '"')
		}
	}
	return inputs, err
}
