package dialect

import (
	"time"

	"github.com/paceline/paceline/internal/quantize"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// Want is the kind of work a request asks for.
type Want int

const (
	Vectors      Want = iota // one vector an input: Result.Vectors
	TokenVectors             // one vector a token of each input: Result.TokenVectors
	Sparse                   // one vector an input, a weight for each token of the vocabulary: Result.Vectors
	Scores                   // a classifier's score of each input or pair for each label: Result.Scores
	Tokens                   // the tokens of each input, no arithmetic: Result.Tokens
	Texts                    // the text of each input's ids, no arithmetic: Result.Texts
)

// Request is one request, whatever language it came in. The zero value of an
// option is what the server does by itself.
type Request struct {
	Want   Want
	Model  string // the model asked for; "" for the server's own
	Inputs []Input

	Prompt       string // a text put before every input; wins over PromptName
	PromptName   string // the model's prompt of that name
	Truncate     Choice // cut an input that is too long instead of refusing it
	Truncates    bool   // Unset is Yes unless the operator wants otherwise: its API knows no refusal
	TruncateLeft bool   // cut its beginning instead of its end
	MaxTokens    int    // a limit below the model's own; 0 for the model's
	NoSpecial    bool   // add no special tokens
	SkipSpecial  bool   // Texts: leave special tokens out

	Normalize  Choice // scale vectors to length 1; Unset: as the model's own pipeline does
	Dimensions int    // keep that many leading values; 0 for the model's own number
	Direct     bool   // compute by itself, not with other requests
	Calibrated bool   // Vectors: give the server's Ranges too, if it has any

	Activation Activation // Scores: what becomes of the logits

	// Adapt completes the request once its model is open: what it wants may depend on
	// what the model computes.
	Adapt []func(i *Info) error
	// Encode writes the answer to this request.
	Encode func(a *Answer, r *Result)
}

// Complete adapts the request to its model, once that is open, and refuses what
// the model cannot give.
func (r *Request) Complete(i *Info) error {
	if err := r.adapt(i); err != nil {
		return err
	}
	if r.Want == Tokens || r.Want == Texts {
		return nil
	}
	scores := i.Head == Classifier || i.Head == Reranker
	switch {
	case r.Want == Scores && !scores:
		return Errorf(Unsupported, "", "Model is not a classifier model")
	case r.Want == Sparse && i.Head != Splade:
		return Errorf(Unsupported, "", "Model is not an embedding model with SPLADE pooling")
	case r.Want != Scores && scores:
		return Errorf(Unsupported, "", "Model is not an embedding model")
	}
	return nil
}

func (r *Request) adapt(i *Info) error {
	for _, adapt := range r.Adapt {
		if err := adapt(i); err != nil {
			return err
		}
	}
	return nil
}

// Become makes the request another one, which is adapted in its turn.
func (r *Request) Become(other *Request, i *Info) error {
	*r = *other
	return r.adapt(i)
}

// Input is one text, a pair of texts, or the token ids that stand for one of these.
type Input struct {
	Text   string
	Second *string // unless nil, Text and this are a pair, which only classifiers read
	IDs    []int32 // unless nil, in place of Text

	Prompt, PromptName string // unless both are "", in place of the request's
	Keep, KeepSecond   int    // tokens of Text and of Second that are kept, special ones apart; 0 for all
}

// Activation turns a classifier's logits into scores.
type Activation int

const (
	Probability Activation = iota // the sigmoid for one label, the softmax for several
	Logits                        // none
	ModelsOwn                     // the function that the model names, or else Probability
)

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
	Model        string           // the name under which the model is served
	Vectors      [][]float32      // an input's vector
	Ranges       *quantize.Ranges // of such vectors, if asked for; nil without a calibration
	TokenVectors [][][]float32    // an input's tokens' vectors
	Scores       [][]float32      // an input's score for each label, in the order of Info.Labels
	Tokens       [][]Token
	Texts        []string

	Characters  int // characters of all input texts; of inputs given as ids, their number
	InputTokens int // tokens of all inputs, special ones included, as computed
	Truncated   int // inputs that were cut
	Chunked     int // inputs that were embedded in pieces

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
	Text        string // as it stands in the text
	Piece       string // as it stands in the vocabulary
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
