package dialect

import (
	"errors"

	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// Fields reads the fields of a call one by one and keeps the first error, so
// that a decoder can name all it wants and look at Err once. Where a body and
// the query both have a scalar, the body counts.
type Fields struct {
	*Call
	Strict bool // a string is no number and no boolean
	Err    error
}

// ReadFields starts reading.
func ReadFields(c *Call) *Fields { return &Fields{Call: c} }

func (f *Fields) note(err error) {
	if f.Err == nil {
		f.Err = err
	}
}

// scalar reads a field that may be absent: from the body with decode, or else
// from the query with parse.
func scalar[T any](f *Fields, name, kind string, decode func(string, wire.Value) (T, error), parse func(string, string) (T, error)) (got T, found bool) {
	v, inBody := f.Body.Get(name)
	var err error
	switch {
	case inBody && f.Strict && v.Kind() == '"':
		err = wire.Wrong(name, kind, v.Kind())
	case inBody:
		got, err = decode(name, v)
	case f.Query.Has(name):
		if got, err = parse(name, f.Query.Get(name)); err != nil {
			var wrong *wire.FieldError
			if errors.As(err, &wrong) {
				wrong.Query = true
			}
		}
	default:
		return got, false
	}
	f.note(err)
	return got, true
}

// Bool reads a boolean that may be absent.
func (f *Fields) Bool(name string) Choice {
	yes, found := scalar(f, name, "a boolean", wire.Bool, wire.ParseBool)
	if !found {
		return Unset
	}
	return ChoiceOf(yes)
}

// Int reads an integer that may be absent.
func (f *Fields) Int(name string, otherwise int) int {
	n, found := scalar(f, name, "an integer", wire.Int, wire.ParseInt)
	if !found {
		return otherwise
	}
	return n
}

// String reads a string that may be absent.
func (f *Fields) String(name, otherwise string) string {
	if v, ok := f.Body.Get(name); ok {
		s, err := wire.String(name, v)
		f.note(err)
		return s
	}
	if f.Query.Has(name) {
		return f.Query.Get(name)
	}
	return otherwise
}

// Strings reads a list of strings that may be absent.
func (f *Fields) Strings(name string) []string {
	v, ok := f.Body.Get(name)
	if !ok {
		return nil
	}
	list, err := DecodeStrings(name, v, 0)
	f.note(err)
	return list
}

// Prompt reads what is to stand before every input: a text of the request's own
// (prompt) or the model's of that name (prompt_name).
func (f *Fields) Prompt(into *Request) {
	into.Prompt, into.PromptName = f.String("prompt", ""), f.String("prompt_name", "")
}

// OneOf reads a word of a closed list, the first of which is the default.
func (f *Fields) OneOf(name string, words ...string) string {
	got := f.String(name, words[0])
	for _, w := range words {
		if got == w {
			return got
		}
	}
	if f.Err == nil {
		f.note(Errorf(Value, name, "unknown %s %q: it must be one of %q", name, got, words))
	}
	return words[0]
}

// Read reads a field that must be there with a decoder of this package.
func Read[T any](f *Fields, name string, decode func(string, wire.Value, int) (T, error), limit int) T {
	v, ok := f.Body.Get(name)
	if !ok {
		f.note(wire.Missing(name))
		var none T
		return none
	}
	got, err := decode(name, v, limit)
	f.note(err)
	return got
}
