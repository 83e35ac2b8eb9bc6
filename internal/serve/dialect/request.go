package dialect

import (
	"time"

	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// Want is the kind of work a request asks for.
type Want int

const (
	Vectors      Want = iota // one vector an input: Result.Vectors
	TokenVectors             // one vector a token of each input: Result.TokenVectors
	Tokens                   // the tokens of each input, no arithmetic: Result.Tokens
	Texts                    // the text of each input's ids, no arithmetic: Result.Texts
)

// Request is one request, whatever language it came in. The zero value of an
// option is what the server does by itself.
type Request struct {
	Want   Want
	Model  string // the model asked for; "" for the server's own
	Inputs []Input

	PromptName   string // the model's prompt of that name
	Truncate     Choice // cut an input that is too long instead of refusing it
	TruncateLeft bool   // cut its beginning instead of its end
	MaxTokens    int    // a limit below the model's own; 0 for the model's
	NoSpecial    bool   // add no special tokens
	SkipSpecial  bool   // Texts: leave special tokens out

	Normalize  Choice // scale vectors to length 1; Unset: as the model's own pipeline does
	Dimensions int    // keep that many leading values; 0 for the model's own number
	Direct     bool   // compute by itself, not with other requests

	// Encode writes the answer to this request.
	Encode func(a *Answer, r *Result)
}

// Input is one text, or the token ids that stand for one.
type Input struct {
	Text string
	IDs  []int32 // unless nil, in place of Text
}

// Choice is a yes or no that a request may leave to the server.
type Choice int8

const (
	Unset Choice = iota
	Yes
	No
)

// Or is the choice made, or else the given one.
func (c Choice) Or(otherwise bool) bool {
	if c == Unset {
		return otherwise
	}
	return c == Yes
}

// ChoiceOf is a choice made.
func ChoiceOf(yes bool) Choice {
	if yes {
		return Yes
	}
	return No
}

// Result is what became of a request. Its vectors may be reused once Encode has
// returned.
type Result struct {
	Model        string        // the name under which the model is served
	Vectors      [][]float32   // an input's vector
	TokenVectors [][][]float32 // an input's tokens' vectors
	Tokens       [][]Token
	Texts        []string

	Characters  int // characters of all input texts; of inputs given as ids, their number
	InputTokens int // tokens of all inputs, special ones included, as computed
	Truncated   int // inputs that were cut

	BatchRequests int // requests in the batch that this one travelled in
	BatchTexts    int // texts in that batch
	Times         Times
}

// Dim is the length of the vectors.
func (r *Result) Dim() int {
	if len(r.Vectors) == 0 {
		return 0
	}
	return len(r.Vectors[0])
}

// Times says where a request's time went.
type Times struct {
	Tokenize  time.Duration
	Queue     time.Duration
	Inference time.Duration
	Total     time.Duration // from the request's arrival until now
}

// Token is one token of a text. Start and Stop are byte offsets into it; a
// special token has none.
type Token struct {
	ID          int32
	Text        string
	Special     bool
	Start, Stop int
}

// Answer is the response that a dialect writes.
type Answer struct {
	*wire.Writer
	Status int
	Header map[string]string // beside Content-Type, which is JSON unless given here
}

// Set sets a header.
func (a *Answer) Set(name, value string) {
	if a.Header == nil {
		a.Header = map[string]string{}
	}
	a.Header[name] = value
}
