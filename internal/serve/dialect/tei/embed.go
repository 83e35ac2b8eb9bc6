package tei

import (
	"strconv"
	"time"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/openai"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
	"github.com/paceline/paceline/internal/similarity"
)

// readFields starts reading as strictly as TEI does: a string is no boolean.
func readFields(c *dialect.Call) *dialect.Fields {
	f := dialect.ReadFields(c)
	f.Strict = true
	return f
}

// readOptions reads the options that all kinds of embedding share.
func readOptions(f *dialect.Fields, into *dialect.Request) {
	into.Truncate = f.Bool("truncate")
	side := f.OneOf("truncation_direction", "Right", "right", "Left", "left")
	into.TruncateLeft = side == "Left" || side == "left"
	f.Prompt(into)
}

// readEmbed reads the inputs and options of /embed and its sisters.
func readEmbed(c *dialect.Call) (*dialect.Fields, *dialect.Request, error) {
	f := readFields(c)
	r := &dialect.Request{Inputs: dialect.Read(f, "inputs", dialect.DecodeInputs, c.Info.ClientBatch)}
	readOptions(f, r)
	if f.Err == nil {
		f.Err = checkInputs(r.Inputs)
	}
	return f, r, f.Err
}

// checkInputs refuses what TEI refuses: no input at all, and an empty one.
func checkInputs(inputs []dialect.Input) error {
	if len(inputs) == 0 {
		return dialect.Errorf(dialect.Empty, "inputs", "`inputs` cannot be empty")
	}
	for i := range inputs {
		in := &inputs[i]
		if in.Text == "" && len(in.IDs) == 0 && (in.Second == nil || *in.Second == "") {
			return dialect.Errorf(dialect.Empty, "inputs", "`inputs` cannot be empty: number %d of %d is", i, len(inputs))
		}
	}
	return nil
}

func decodeEmbed(c *dialect.Call) (*dialect.Request, error) {
	f, r, err := readEmbed(c)
	if err != nil {
		return nil, err
	}
	r.Normalize = dialect.ChoiceOf(f.Bool("normalize").Or(true))
	if r.Dimensions = f.Int("dimensions", 0); r.Dimensions < 1 && f.Body.Has("dimensions") && f.Err == nil {
		return nil, dialect.Errorf(dialect.Value, "dimensions", "`dimensions` should be positive, is %d", r.Dimensions)
	}
	r.Adapt = append(r.Adapt, notNormalized(r))
	r.Encode = func(a *dialect.Answer, r *dialect.Result) {
		setHeaders(a, r)
		a.List(len(r.Vectors), func(i int) { a.Vector(r.Vectors[i]) })
	}
	return r, f.Err
}

// notNormalized refuses to scale what SPLADE gives, as TEI does.
func notNormalized(r *dialect.Request) func(*dialect.Info) error {
	return func(i *dialect.Info) error {
		if i.Head == dialect.Splade && r.Normalize == dialect.Yes {
			return dialect.Errorf(dialect.Unsupported, "normalize", "`normalize` is not available for SPLADE models")
		}
		return nil
	}
}

func decodeEmbedAll(c *dialect.Call) (*dialect.Request, error) {
	_, r, err := readEmbed(c)
	r.Want = dialect.TokenVectors
	r.Adapt = append(r.Adapt, func(i *dialect.Info) error {
		if i.Head == dialect.Splade {
			return dialect.Errorf(dialect.Unsupported, "", "`embed_all` is not available for SPLADE models")
		}
		return nil
	})
	r.Encode = func(a *dialect.Answer, r *dialect.Result) {
		setHeaders(a, r)
		a.List(len(r.TokenVectors), func(i int) {
			tokens := r.TokenVectors[i]
			a.List(len(tokens), func(j int) { a.Vector(tokens[j]) })
		})
	}
	return r, err
}

func decodeSimilarity(c *dialect.Call) (*dialect.Request, error) {
	v, ok := c.Body.Get("inputs")
	if !ok {
		return nil, wire.Missing("inputs")
	}
	inputs, err := nested(c, "inputs", v)
	if err != nil {
		return nil, err
	}
	source := inputs.String("source_sentence", "")
	sentences := dialect.Read(inputs, "sentences", dialect.DecodeStrings, 0)
	switch {
	case inputs.Err != nil:
		return nil, inputs.Err
	case !inputs.Body.Has("source_sentence"):
		return nil, wire.Missing("inputs.source_sentence")
	case len(sentences) == 0:
		return nil, dialect.Errorf(dialect.Empty, "inputs.sentences", "`inputs.sentences` cannot be empty")
	}
	if err := dialect.CheckCount(1+len(sentences), c.Info.ClientBatch); err != nil {
		return nil, err
	}
	r := &dialect.Request{
		Inputs:    dialect.TextInputs([]string{source}, sentences),
		Normalize: dialect.No, // a cosine needs no unit vectors
		Encode:    encodeSimilarity,
	}
	if v, ok := c.Body.Get("parameters"); ok {
		parameters, err := nested(c, "parameters", v)
		if err != nil {
			return nil, err
		}
		if readOptions(parameters, r); parameters.Err != nil {
			return nil, parameters.Err
		}
	}
	return r, checkInputs(r.Inputs)
}

// nested reads the fields of an object within the body.
func nested(c *dialect.Call, name string, v wire.Value) (*dialect.Fields, error) {
	if v.Kind() != '{' {
		return nil, wire.Wrong(name, "an object", v.Kind())
	}
	body, err := wire.ParseBody(v)
	return readFields(&dialect.Call{Body: body, Info: c.Info}), err
}

func encodeSimilarity(a *dialect.Answer, r *dialect.Result) {
	setHeaders(a, r)
	source, sentences := r.Vectors[0], r.Vectors[1:]
	a.List(len(sentences), func(i int) { a.Float(similarity.Cosine(source, sentences[i])) })
}

// decodeOpenAI reads an OpenAI body as TEI does: with its own limits and refusals.
func decodeOpenAI(c *dialect.Call) (*dialect.Request, error) {
	r, err := openai.Decode(c)
	if err != nil {
		return nil, err
	}
	r.Model = "" // TEI serves its one model whatever the name
	r.Adapt = append(r.Adapt, notNormalized(r))
	encode := r.Encode
	r.Encode = func(a *dialect.Answer, result *dialect.Result) {
		setHeaders(a, result)
		encode(a, result)
	}
	return r, checkInputs(r.Inputs)
}

// setHeaders gives TEI's account of the work, times in whole milliseconds.
func setHeaders(a *dialect.Answer, r *dialect.Result) {
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	a.Set("X-Compute-Type", "cpu")
	a.Set("X-Compute-Time", ms(r.Times.Total))
	a.Set("X-Compute-Characters", strconv.Itoa(r.Characters))
	a.Set("X-Compute-Tokens", strconv.Itoa(r.InputTokens))
	a.Set("X-Total-Time", ms(r.Times.Total))
	a.Set("X-Tokenization-Time", ms(r.Times.Tokenize))
	a.Set("X-Queue-Time", ms(r.Times.Queue))
	a.Set("X-Inference-Time", ms(r.Times.Inference))
}
