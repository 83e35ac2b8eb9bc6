package token

// Options say how a text becomes tokens. The zero value gives all tokens of the text and no special ones.
type Options struct {
	Special      bool // put the template's special tokens ([CLS], [SEP], <s> …) around the text
	MaxTokens    int  // cut to so many tokens, special ones included; 0: no cut. Special tokens are never cut.
	TruncateLeft bool // cut at the beginning of the text instead of its end
	Offsets      bool // fill Encoding.Offsets
}

// A Span is a stretch of the text: bytes Start to End, End excluded.
type Span struct{ Start, End int }

// An Encoding is a text as tokens. Its slices have one entry a token.
type Encoding struct {
	IDs       []int32
	Types     []uint8 // the template's type ids: which of a pair's texts a token belongs to
	Special   []bool  // true for tokens of the template; a special token written in the text is not special here
	Offsets   []Span  // where in its text a token stands, {0, 0} for special tokens; nil unless asked for
	Truncated bool    // whether MaxTokens left out a part of the text
}

// A token is one id and where it stands: bytes of a word while a model makes it, bytes of the text afterwards (if
// positions are tracked at all).
type token struct {
	id         int32
	start, end int
}
