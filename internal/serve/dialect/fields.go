package dialect

import "github.com/paceline/paceline/internal/serve/dialect/wire"

// Fields reads the fields of a call one by one and keeps the first error, so
// that a decoder can name all it wants and look at Err once. Where a body and
// the query both have a scalar, the body counts.
type Fields struct {
	*Call
	Err error
}

// ReadFields starts reading.
func ReadFields(c *Call) *Fields { return &Fields{Call: c} }

func (f *Fields) note(err error) {
	if f.Err == nil {
		f.Err = err
	}
}

// Bool reads a boolean that may be absent.
func (f *Fields) Bool(name string) Choice {
	var yes bool
	var err error
	if v, ok := f.Body.Get(name); ok {
		yes, err = wire.Bool(name, v)
	} else if f.Query.Has(name) {
		yes, err = wire.ParseBool(name, f.Query.Get(name))
	} else {
		return Unset
	}
	f.note(err)
	return ChoiceOf(yes)
}

// Int reads an integer that may be absent.
func (f *Fields) Int(name string, otherwise int) int {
	var n int
	var err error
	if v, ok := f.Body.Get(name); ok {
		n, err = wire.Int(name, v)
	} else if f.Query.Has(name) {
		n, err = wire.ParseInt(name, f.Query.Get(name))
	} else {
		return otherwise
	}
	f.note(err)
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
