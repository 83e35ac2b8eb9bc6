package openai

import (
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

func decodeTokenize(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	text := f.String("prompt", "")
	withPieces := f.Bool("return_token_strs") == dialect.Yes
	limit := 0
	r := &dialect.Request{
		Want: dialect.Tokens, Model: f.String("model", ""), Inputs: []dialect.Input{{Text: text}},
		NoSpecial: !f.Bool("add_special_tokens").Or(true),
		Adapt: []func(*dialect.Info) error{func(i *dialect.Info) error {
			limit = i.MaxTokens
			return nil
		}},
		Encode: func(a *dialect.Answer, r *dialect.Result) { encodeTokens(a, r.Tokens[0], limit, withPieces) },
	}
	switch {
	case f.Err != nil:
		return nil, f.Err
	case !f.Body.Has("prompt") && f.Body.Has("messages"):
		return nil, dialect.Errorf(dialect.Value, "messages", "chat messages are not taken: the model has no chat template; send the text as `prompt`")
	case !f.Body.Has("prompt"):
		return nil, wire.Missing("prompt")
	}
	return r, nil
}

func encodeTokens(a *dialect.Answer, tokens []dialect.Token, limit int, withPieces bool) {
	a.Raw(`{"count":`)
	a.Int(len(tokens))
	a.Raw(`,"max_model_len":`)
	a.Int(limit)
	a.Raw(`,"tokens":`)
	a.List(len(tokens), func(i int) { a.Int(int(tokens[i].ID)) })
	a.Raw(`,"token_strs":`)
	if withPieces {
		a.List(len(tokens), func(i int) { a.String(tokens[i].Piece) })
	} else {
		a.Raw(`null`)
	}
	a.Raw(`}`)
}

func decodeDetokenize(c *dialect.Call) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	r := &dialect.Request{
		Want: dialect.Texts, Model: f.String("model", ""),
		Inputs: dialect.Read(f, "tokens", dialect.DecodeInputs, 0),
		Encode: func(a *dialect.Answer, r *dialect.Result) {
			a.Raw(`{"prompt":`)
			a.String(r.Texts[0])
			a.Raw(`}`)
		},
	}
	switch {
	case f.Err != nil:
		return nil, f.Err
	case len(r.Inputs) == 0: // [], which is no list of lists here
		r.Inputs = []dialect.Input{{IDs: []int32{}}}
	case len(r.Inputs) != 1 || r.Inputs[0].IDs == nil:
		return nil, &wire.FieldError{Field: "tokens", Problem: "must be a list of token ids"}
	}
	return r, nil
}
