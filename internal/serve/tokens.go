package serve

import (
	"cmp"
	"context"
	"unicode/utf8"

	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/token"
)

// tokenize fills Result.Tokens.
func (j *job) tokenize(ctx context.Context) error {
	p := j.model.Pipeline
	prompt := cmp.Or(j.request.Prompt, j.model.prompt, p.DefaultPrompt())
	if name := j.request.PromptName; name != "" && j.request.Prompt == "" {
		var ok bool
		if prompt, ok = p.Prompts()[name]; !ok {
			return &pipeline.UnknownPromptError{Name: name, Known: j.model.info.Prompts}
		}
	}
	for i := range j.request.Inputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		tokens := tokensOf(p.Tokenizer(), prompt+j.request.Inputs[i].Text, !j.request.NoSpecial)
		j.result.Tokens = append(j.result.Tokens, tokens)
	}
	return nil
}

func tokensOf(tok *token.Tokenizer, text string, special bool) []dialect.Token {
	e := tok.Encode(text, token.Options{Special: special, Offsets: true})
	tokens := make([]dialect.Token, len(e.IDs))
	for k, id := range e.IDs {
		t := dialect.Token{ID: id, Special: e.Special[k]}
		t.Piece, _ = tok.Token(id)
		if t.Special {
			t.Text = t.Piece
		} else {
			t.Start, t.Stop = e.Offsets[k].Start, e.Offsets[k].End
			t.Text = text[t.Start:t.Stop]
		}
		tokens[k] = t
	}
	return tokens
}

// detokenize fills Result.Texts.
func (j *job) detokenize() error {
	tok := j.model.Pipeline.Tokenizer()
	for i := range j.request.Inputs {
		ids := j.request.Inputs[i].IDs
		for k, id := range ids {
			if _, ok := tok.Token(id); !ok {
				return dialect.Errorf(dialect.Value, "ids", "token id %d at index %d of list %d is outside the vocabulary", id, k, i)
			}
		}
		j.result.Texts = append(j.result.Texts, tok.Decode(ids, j.request.SkipSpecial))
	}
	return nil
}

// cutToTokens is the longest beginning of text that has at most n tokens, special
// ones apart; 0 is no limit. The cut falls between two tokens of the text, so that
// what is left is a piece of it and not what a decoder makes of ids.
func cutToTokens(tok *token.Tokenizer, text string, n int) (left string, cut bool) {
	if n < 1 {
		return text, false
	}
	for text != "" {
		e := tok.Encode(text, token.Options{Offsets: true})
		if len(e.IDs) <= n {
			break
		}
		// Shorter at each turn: a shorter text may still have more tokens.
		end := min(e.Offsets[n-1].End, e.Offsets[n].Start, len(text)-1)
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text, cut = text[:end], true
	}
	return text, cut
}
