package openai

import (
	"github.com/paceline/paceline/internal/serve/dialect"
)

// readInputs reads what all routes with an input share.
func readInputs(f *dialect.Fields) *dialect.Request {
	if f.Body.Has("messages") && !f.Body.Has("input") {
		f.Err = dialect.Errorf(dialect.Value, "messages", "chat messages are not taken: the model has no chat template; send the texts as `input`")
	}
	r := &dialect.Request{
		Model:     f.String("model", ""),
		Inputs:    dialect.Read(f, "input", dialect.DecodeInputs, f.Info.ClientBatch),
		NoSpecial: !f.Bool("add_special_tokens").Or(true),
	}
	readTruncation(f, r)
	f.Prompt(r)
	if f.Err == nil {
		f.Err = checkInputs(r.Inputs)
	}
	return r
}

func checkInputs(inputs []dialect.Input) error {
	if len(inputs) == 0 {
		return dialect.Errorf(dialect.Empty, "input", "`input` cannot be an empty list")
	}
	for i := range inputs {
		if in := &inputs[i]; in.IDs != nil && len(in.IDs) == 0 {
			return dialect.Errorf(dialect.Empty, "input", "`input` number %d is an empty list of token ids", i)
		}
	}
	return nil
}

// readTruncation reads vLLM's two fields. A limit asks for cutting; -1 is the
// model's own.
func readTruncation(f *dialect.Fields, r *dialect.Request) {
	r.TruncateLeft = f.OneOf("truncation_side", "right", "left") == "left"
	limit := f.Int("truncate_prompt_tokens", 0)
	switch {
	case f.Err != nil || !f.Body.Has("truncate_prompt_tokens"):
		return
	case limit < -1 || limit == 0:
		f.Err = dialect.Errorf(dialect.Value, "truncate_prompt_tokens", "`truncate_prompt_tokens` must be -1 (the model's limit) or at least 1, is %d", limit)
		return
	}
	r.Truncate, r.MaxTokens = dialect.Yes, max(limit, 0)
	r.Adapt = append(r.Adapt, func(i *dialect.Info) error {
		if limit > i.MaxTokens {
			return dialect.Errorf(dialect.Value, "truncate_prompt_tokens", "`truncate_prompt_tokens` is %d and the model takes at most %d tokens: please send a value up to that", limit, i.MaxTokens)
		}
		return nil
	})
}

// readActivation reads whether outputs pass through the model's last function:
// scaling to length 1, or what makes scores of logits.
func readActivation(f *dialect.Fields, r *dialect.Request) {
	r.Normalize, r.Activation = dialect.Yes, dialect.ModelsOwn
	if f.Bool("use_activation") == dialect.No || f.Bool("normalize") == dialect.No {
		r.Normalize, r.Activation = dialect.No, dialect.Logits
	}
}
