package token

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// A Tokenizer is a tokenizer.json ready for use, by any number of goroutines.
type Tokenizer struct {
	normalizer normalizer // nil: none
	splitter   splitter   // nil: none
	borders    splitter   // of the model's own, after the splitter; nil: none
	model      model
	template   *template
	decoder    decoder
	added      *addedTokens

	maxTokens     int // of the file's truncation
	truncatesLeft bool

	cuts         bool                // whether a text may be cut before a space between letters (see boundary)
	cutsLikeBert bool                // whether it may be cut as BERT's parts allow: before an ideograph
	asciiCuts    [utf8.RuneSelf]bool // and before these characters
	tracks       bool                // whether positions are needed to split
	drifts       bool                // whether positions depend on the text before, all of it
	scratch      sync.Pool
}

// scratch is what encoding one text or pair needs besides its result.
type scratch struct {
	piece  piece
	work   workspace
	tokens [2][]token
}

// release puts scratch back for the next text, unless a giant has stretched it.
func (t *Tokenizer) release(s *scratch) {
	const kept = 64 << 10
	if cap(s.piece.text)+cap(s.piece.spareText) <= 2*kept && cap(s.tokens[0])+cap(s.tokens[1]) <= 2*kept &&
		s.work.size() <= kept {
		t.scratch.Put(s)
	}
}

// Encode turns a text into tokens.
func (t *Tokenizer) Encode(text string, o Options) Encoding { return t.encode([]string{text}, o) }

// EncodePair turns a pair of texts into tokens of one sequence. Where it is too long, the longer text is cut first,
// and both to equal halves if both are longer than that.
func (t *Tokenizer) EncodePair(a, b string, o Options) Encoding { return t.encode([]string{a, b}, o) }

// AppendIDs appends the ids of a text to dst and tells whether MaxTokens left out a part of the text: Encode for
// callers who have the memory already.
func (t *Tokenizer) AppendIDs(dst []int32, text string, o Options) (ids []int32, truncated bool) {
	s := t.scratch.Get().(*scratch)
	defer t.release(s)
	truncated = t.tokenize(s, text, o)
	for _, p := range t.template.single {
		if p.text != special {
			for _, token := range s.tokens[0] {
				dst = append(dst, token.id)
			}
		} else if o.Special {
			dst = append(dst, p.id)
		}
	}
	return dst, truncated
}

// tokenize makes s.tokens[0] the tokens of a single text.
func (t *Tokenizer) tokenize(s *scratch, text string, o Options) (truncated bool) {
	limit := o.budget(t.template.singleSpecials)
	s.tokens[0], truncated = t.appendTokens(s, s.tokens[0][:0], text, limit, o)
	return truncated
}

// noLimit is the limit of a text that is not cut.
const noLimit = -1

// budget is how many tokens the texts may have together, besides the special ones.
func (o Options) budget(specials int) int {
	if o.MaxTokens <= 0 {
		return noLimit
	}
	if !o.Special {
		specials = 0
	}
	return max(o.MaxTokens-specials, 0)
}

func (t *Tokenizer) encode(texts []string, o Options) Encoding {
	s := t.scratch.Get().(*scratch)
	defer t.release(s)
	e := Encoding{}
	parts, specials := t.template.single, t.template.singleSpecials
	if len(texts) == 2 {
		parts, specials = t.template.pair, t.template.pairSpecials
		e.Truncated = t.tokenizePair(s, texts, o)
	} else {
		e.Truncated = t.tokenize(s, texts[0], o)
	}
	n := specials
	for _, tokens := range s.tokens[:len(texts)] {
		n += len(tokens)
	}
	e.grow(n, o.Offsets)
	for _, p := range parts {
		if p.text != special {
			t.appendText(&e, texts[p.text], s.tokens[p.text], p.kind, o.Offsets)
		} else if o.Special {
			e.append(p.id, p.kind, true, Span{}, o.Offsets)
		}
	}
	return e
}

// appendText appends the tokens of one text of the template.
func (t *Tokenizer) appendText(e *Encoding, text string, tokens []token, kind uint8, offsets bool) {
	for i, token := range tokens {
		span := Span{token.start, token.end}
		if offsets && t.template.trim != nil {
			written, _ := t.model.vocabulary().token(token.id)
			if there := text[span.Start:span.End]; t.added.wrote(token.id, there) {
				written = there
			}
			span = t.template.trim.span(text, written, span, i == 0)
		}
		e.append(token.id, kind, false, span, offsets)
	}
}

func (e *Encoding) grow(n int, offsets bool) {
	e.IDs, e.Types, e.Special = make([]int32, 0, n), make([]uint8, 0, n), make([]bool, 0, n)
	if offsets {
		e.Offsets = make([]Span, 0, n)
	}
}

func (e *Encoding) append(id int32, kind uint8, special bool, span Span, offsets bool) {
	e.IDs = append(e.IDs, id)
	e.Types = append(e.Types, kind)
	e.Special = append(e.Special, special)
	if offsets {
		e.Offsets = append(e.Offsets, span)
	}
}

// Decode turns ids back into text, with or without special tokens. Ids that stand for no token are left out.
func (t *Tokenizer) Decode(ids []int32, skipSpecial bool) string {
	tokens := make([]string, 0, len(ids))
	for _, id := range ids {
		if token, ok := t.Token(id); ok && !(skipSpecial && t.added.special[token]) {
			tokens = append(tokens, token)
		}
	}
	return strings.Join(t.decoder.decode(tokens), "")
}

// Token is the token of an id.
func (t *Tokenizer) Token(id int32) (string, bool) {
	if added, ok := t.added.byID(id); ok {
		return added.form, true
	}
	return t.model.vocabulary().token(id)
}

// ID is the id of a token.
func (t *Tokenizer) ID(token string) (int32, bool) {
	if id, ok := t.added.byContent(token); ok {
		return id, true
	}
	return t.model.vocabulary().id(token)
}

// VocabSize is one more than the highest id: the rows that an embedding table needs.
func (t *Tokenizer) VocabSize() int {
	size := len(t.model.vocabulary().tokens)
	if n := len(t.added.tokens); n > 0 {
		size = max(size, int(t.added.tokens[n-1].id)+1)
	}
	return size
}

// Truncation is the limit of tokens, special ones included, that the file asks for (0: none) and the side that it cuts.
// Encode leaves it to the caller.
func (t *Tokenizer) Truncation() (maxTokens int, left bool) { return t.maxTokens, t.truncatesLeft }
