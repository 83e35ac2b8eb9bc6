package pipeline

import (
	"github.com/paceline/paceline/internal/token"
)

// Input is one text, or the token ids that stand for one.
type Input struct {
	Text string
	// IDs, unless nil, is taken in place of Text as it is: no prompt and no special
	// tokens are added.
	IDs []int32
}

// PrepareOptions says how an input becomes token ids. The zero value refuses
// texts that are too long.
type PrepareOptions struct {
	Prompt       string // text put before the input; wins over PromptName
	PromptName   string // the model's prompt of that name; "" for its default
	Truncate     bool   // cut a text that is too long instead of refusing it
	TruncateLeft bool   // cut its beginning instead of its end, as some models do by themselves
	NoSpecial    bool   // add no special tokens
	MaxTokens    int    // a limit under the model's own; 0 for the model's
}

// Prepared is a sequence as an engine takes it.
type Prepared struct {
	IDs       []int32
	Types     []uint8 // nil when all are 0
	Skip      int     // leading tokens that pooling leaves out
	Truncated bool
}

// Prepare turns an input into token ids. Its errors are ErrTooLong,
// ErrUnknownPrompt, ErrTokenID and ErrNoTokens.
func (p *Pipeline) Prepare(in Input, o PrepareOptions) (Prepared, error) {
	limit := p.limit(o)
	if in.IDs != nil {
		return p.prepareIDs(in.IDs, limit, o)
	}
	return p.prepareText(in.Text, limit, o)
}

// limit is how many tokens a sequence may have.
func (p *Pipeline) limit(o PrepareOptions) int {
	if o.MaxTokens > 0 {
		return min(p.maxTokens, o.MaxTokens)
	}
	return p.maxTokens
}

func (p *Pipeline) prepareText(text string, limit int, o PrepareOptions) (Prepared, error) {
	prompt, err := p.prompt(o)
	if err != nil {
		return Prepared{}, err
	}
	encode := token.Options{Special: !o.NoSpecial && !p.modules.Static, TruncateLeft: o.TruncateLeft || p.truncatesLeft}
	if o.Truncate {
		encode.MaxTokens = limit
	}
	e := p.tokenizer.Encode(prompt+text, encode)
	if len(e.IDs) > limit {
		return Prepared{}, &TooLongError{Tokens: len(e.IDs), Limit: limit}
	}
	if err := p.check(e.IDs); err != nil {
		return Prepared{}, err
	}
	out := Prepared{IDs: e.IDs, Types: p.tokenTypes(e.Types), Truncated: e.Truncated}
	if prompt != "" && !p.modules.IncludePrompt {
		out.Skip = min(p.promptTokens(prompt, encode), max(len(e.IDs)-1, 0))
	}
	return out, nil
}

// promptTokens counts the tokens of a prompt as sentence-transformers does: the
// prompt tokenized alone, without the special token that ends it.
func (p *Pipeline) promptTokens(prompt string, o token.Options) int {
	e := p.tokenizer.Encode(prompt, o)
	n := len(e.IDs)
	if n > 0 && e.Special[n-1] {
		n--
	}
	return n
}

func (p *Pipeline) prepareIDs(ids []int32, limit int, o PrepareOptions) (Prepared, error) {
	out := Prepared{IDs: ids}
	if over := len(ids) - limit; over > 0 {
		switch {
		case !o.Truncate:
			return Prepared{}, &TooLongError{Tokens: len(ids), Limit: limit}
		case o.TruncateLeft || p.truncatesLeft:
			out.IDs = ids[over:]
		default:
			out.IDs = ids[:limit]
		}
		out.Truncated = true
	}
	return out, p.check(out.IDs)
}

// check holds what engines rely on: at least one token, unless the model is nothing
// but token vectors, and no id without a row in the token table.
func (p *Pipeline) check(ids []int32) error {
	if len(ids) == 0 && !p.modules.Static {
		return ErrNoTokens
	}
	for i, id := range ids {
		if id < 0 || int(id) >= p.vocab {
			return &TokenIDError{ID: id, Index: i, Vocab: p.vocab}
		}
	}
	return nil
}

// tokenTypes drops types that are all 0, and those the model has no table for.
func (p *Pipeline) tokenTypes(types []uint8) []uint8 {
	highest := 0
	for _, t := range types {
		highest = max(highest, int(t))
	}
	if highest == 0 || highest >= p.types {
		return nil
	}
	return types
}
