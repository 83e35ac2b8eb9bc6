package cohere

import (
	"fmt"
	"strconv"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// inputTypes are Cohere's, with the names of the prompts that they stand for, as
// sentence-transformers' encode_query and encode_document look for them.
var inputTypes = map[string][]string{
	"search_query":    append([]string{"search_query"}, dialect.QueryPrompts...),
	"search_document": append([]string{"search_document"}, dialect.DocumentPrompts...),
	"classification":  {"classification"},
	"clustering":      {"clustering"},
}

func decodeEmbed(c *dialect.Call) (*dialect.Request, error) { return decode(c, "2", true) }

// decodeEmbedV1 reads the same; the answer is a plain list of vectors unless the
// request names types.
func decodeEmbedV1(c *dialect.Call) (*dialect.Request, error) {
	return decode(c, "1", c.Body.Has("embedding_types"))
}

func decode(c *dialect.Call, version string, byType bool) (*dialect.Request, error) {
	f := dialect.ReadFields(c)
	texts, err := readTexts(f)
	if err != nil {
		return nil, err
	}
	r := &dialect.Request{
		Model: f.String("model", ""), Inputs: dialect.TextInputs(texts), Normalize: dialect.Yes,
		Dimensions: f.Int("output_dimension", 0),
	}
	readTruncation(f, r)
	f.Prompt(r)
	types := readTypes(f)
	inputType := f.String("input_type", "")
	if f.Err == nil && f.Body.Has("output_dimension") && r.Dimensions < 1 {
		f.Err = dialect.Errorf(dialect.Value, "output_dimension", "`output_dimension` must be at least 1, is %d", r.Dimensions)
	}
	if f.Err != nil {
		return nil, f.Err
	}
	r.Calibrated = types.bytes()
	r.Adapt = append(r.Adapt,
		func(i *dialect.Info) error { return choosePrompt(r, inputType, i) },
		func(i *dialect.Info) error { return types.check(r, i) })
	answer := answer{id: "embd-" + c.ID, version: version, types: types, byType: byType, texts: texts}
	r.Encode = answer.encode
	return r, nil
}

// readTexts reads the texts, or the texts among the inputs of several kinds.
func readTexts(f *dialect.Fields) ([]string, error) {
	var given []string
	for _, name := range []string{"texts", "images", "inputs"} {
		if f.Body.Has(name) {
			given = append(given, name)
		}
	}
	if len(given) != 1 {
		return nil, dialect.Errorf(dialect.Value, "texts", "exactly one of `texts`, `images` and `inputs` must be given, there is %q", given)
	}
	var texts []string
	switch given[0] {
	case "images":
		return nil, dialect.Errorf(dialect.Unsupported, "images", "the model embeds texts, no images")
	case "inputs":
		texts = dialect.Read(f, "inputs", decodeContents, f.Info.ClientBatch)
	default:
		texts = dialect.Read(f, "texts", dialect.DecodeStrings, f.Info.ClientBatch)
	}
	if f.Err == nil && len(texts) == 0 {
		return nil, dialect.Errorf(dialect.Empty, given[0], "`%s` cannot be empty", given[0])
	}
	return texts, f.Err
}

// decodeContents reads [{"content": [{"type": "text", "text"}]}].
func decodeContents(field string, v wire.Value, limit int) ([]string, error) {
	if v.Kind() != '[' {
		return nil, wire.Wrong(field, "a list of inputs", v.Kind())
	}
	var texts []string
	n := 0
	err := eachObject(field, v, func(at string, input *wire.Body) error {
		text, err := contentText(at+".content", input)
		if n++; limit == 0 || n <= limit {
			texts = append(texts, text)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return texts, dialect.CheckCount(n, limit)
}

// contentText is the one text of an input.
func contentText(field string, input *wire.Body) (text string, err error) {
	v, ok := input.Get("content")
	if !ok {
		return "", wire.Missing(field)
	}
	n := 0
	err = eachObject(field, v, func(at string, part *wire.Body) error {
		n++
		value, ok := part.Get("text")
		if !ok {
			return &wire.FieldError{Field: at, Problem: `must be {"type": "text", "text": …}: the model embeds texts, no images`}
		}
		text, err = wire.String(at+".text", value)
		return err
	})
	if err == nil && n != 1 {
		return "", &wire.FieldError{Field: field, Problem: fmt.Sprintf("must have one text, has %d parts", n)}
	}
	return text, err
}

// eachObject calls do with each object of a list and where it stands.
func eachObject(field string, v wire.Value, do func(at string, body *wire.Body) error) error {
	if v.Kind() != '[' {
		return wire.Wrong(field, "a list of objects", v.Kind())
	}
	dec := wire.NewDecoder(v)
	if _, err := dec.ReadToken(); err != nil { // the bracket
		return err
	}
	for n := 0; dec.PeekKind() != ']'; n++ {
		item, err := dec.ReadValue()
		if err != nil {
			return err
		}
		at := field + "[" + strconv.Itoa(n) + "]"
		if item.Kind() != '{' {
			return wire.Wrong(at, "an object", item.Kind())
		}
		body, err := wire.ParseBody(item)
		if err != nil {
			return err
		}
		if err := do(at, body); err != nil {
			return err
		}
	}
	return nil
}

// readTruncation reads what to do with texts that are too long.
func readTruncation(f *dialect.Fields, r *dialect.Request) {
	r.Truncates = true
	switch how := f.OneOf("truncate", "END", "START", "NONE"); {
	case how == "NONE":
		r.Truncate = dialect.No
	case f.Body.Has("truncate") || f.Body.Has("max_tokens"):
		r.Truncate, r.TruncateLeft = dialect.Yes, how == "START"
	}
	r.MaxTokens = f.Int("max_tokens", 0)
	if f.Err == nil && f.Body.Has("max_tokens") && r.MaxTokens < 1 {
		f.Err = dialect.Errorf(dialect.Value, "max_tokens", "`max_tokens` must be at least 1, is %d", r.MaxTokens)
	}
}

// choosePrompt turns an input type into the model's prompt for it. A type of
// Cohere's own that the model has no prompt for changes nothing.
func choosePrompt(r *dialect.Request, inputType string, i *dialect.Info) error {
	if inputType == "" || r.Prompt != "" || r.PromptName != "" {
		return nil
	}
	names, known := inputTypes[inputType]
	if !known {
		names = []string{inputType}
	}
	r.PromptName = i.PromptAmong(names...)
	if r.PromptName == "" && !known {
		return dialect.Errorf(dialect.Value, "input_type", "unknown input_type %q: it must be search_query, search_document, classification, clustering, or one of the model's prompts %q", inputType, i.Prompts)
	}
	return nil
}
