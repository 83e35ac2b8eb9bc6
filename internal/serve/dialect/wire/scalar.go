package wire

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// FieldError says what is wrong with one field of a request.
type FieldError struct {
	Field   string // its name, with indices where the fault lies deeper: inputs[3]
	Problem string // "is missing", "must be …, is …"
	Missing bool   // the field is not there at all
	Query   bool   // it stands in the URL, not in the body
}

func (e *FieldError) Error() string { return "`" + e.Field + "` " + e.Problem }

// Missing is the error of a field that had to be there.
func Missing(field string) error {
	return &FieldError{Field: field, Problem: "is missing", Missing: true}
}

// Wrong is the error of a field whose value is of another kind than wanted.
func Wrong(field, want string, got jsontext.Kind) error {
	return &FieldError{Field: field, Problem: fmt.Sprintf("must be %s, is %s", want, kindName(got))}
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "a list"
	default:
		return "an object"
	}
}

// String decodes v as a string.
func String(field string, v Value) (string, error) {
	if v.Kind() != '"' {
		return "", Wrong(field, "a string", v.Kind())
	}
	return unquote(v), nil
}

func unquote(v Value) string {
	text, _ := jsontext.AppendUnquote(nil, v) // the value was checked; what is not UTF-8 became U+FFFD
	return string(text)
}

// Bool decodes v as a boolean; a string may name one as in a query.
func Bool(field string, v Value) (bool, error) {
	switch v.Kind() {
	case 't', 'f':
		return v.Kind() == 't', nil
	case '"':
		return ParseBool(field, unquote(v))
	}
	return false, Wrong(field, "a boolean", v.Kind())
}

// ParseBool reads the words that FastAPI takes for booleans in a query.
func ParseBool(field, word string) (bool, error) {
	switch strings.ToLower(word) {
	case "true", "1", "on", "yes", "t", "y":
		return true, nil
	case "false", "0", "off", "no", "f", "n":
		return false, nil
	}
	return false, &FieldError{Field: field, Problem: fmt.Sprintf("must be true or false, is %q", word)}
}

// Int decodes v as an integer; a string may hold one as in a query.
func Int(field string, v Value) (int, error) {
	switch v.Kind() {
	case '0':
		return ParseInt(field, string(v))
	case '"':
		return ParseInt(field, unquote(v))
	}
	return 0, Wrong(field, "an integer", v.Kind())
}

// ParseInt reads an integer that fits 32 bits.
func ParseInt(field, digits string) (int, error) {
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		f, ferr := strconv.ParseFloat(digits, 64)
		if ferr != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
			return 0, &FieldError{Field: field, Problem: fmt.Sprintf("must be an integer, is %s", digits)}
		}
		n = int64(f) // 8.0
	}
	return int(n), nil
}
