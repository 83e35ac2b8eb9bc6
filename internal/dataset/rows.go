package dataset

import (
	"fmt"
	"slices"
	"strings"
)

// Row is a row of a file.
type Row struct {
	Number  int64  // its line, or its place among the rows, from 1
	Text    string // "" where the file has a null
	Missing bool   // it is an object without the text's field
	Values  []any  // of the columns kept, in the order asked for: string, int64, float64, bool, json.RawMessage or nil
	Offset  int64  // bytes of the file that were read with it, about
}

// Kind is what the values of a column are.
type Kind string

// The kinds. Where rows say for themselves what their values are, as in JSON, it is
// KindText.
const (
	KindText  Kind = "text"
	KindInt   Kind = "int64"
	KindFloat Kind = "float64"
	KindBool  Kind = "bool"
)

// Column is a column that can be kept beside the text.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// Selection says which columns are read.
type Selection struct {
	Text string   // the text's; "" for the likeliest (and of JSON a title before it)
	Keep []string // those kept beside it
}

// textFields are the names of fields and columns that hold a text, the likeliest first.
var textFields = []string{"text", "passage_text", "passage", "sentence", "content", "contents", "body"}

// idFields are those that tell rows apart.
var idFields = []string{"_id", "id", "docid", "doc_id", "pid", "passage_id"}

// IDColumn is the likeliest column to tell a file's rows apart; "" if none is.
func (f *File) IDColumn() string {
	for _, name := range idFields {
		if _, ok := f.Column(name); ok {
			return name
		}
	}
	return ""
}

// textNames are the names that a text's column may have, the likeliest first.
func (s Selection) textNames() []string {
	if s.Text != "" {
		return []string{s.Text}
	}
	return textFields
}

// textColumn is the likeliest of the columns for a text.
func (s Selection) textColumn(names []string) (column int, found bool) {
	if i := slices.Index(names, s.Text); i >= 0 && s.Text != "" {
		return i, true
	}
	for _, field := range s.textNames() {
		i := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), field) })
		if i >= 0 {
			return i, true
		}
	}
	return 0, false
}

// errNoColumn is a file none of whose columns is the text's.
func (s Selection) errNoColumn(names []string) error {
	return fmt.Errorf("no column is named %s: %q", strings.Join(s.textNames(), ", "), names)
}

// errNoTextIn is an object without the text's field.
func errNoTextIn(text string) error {
	if text != "" {
		return fmt.Errorf("no text in this object: want the field %s", text)
	}
	return fmt.Errorf("no text in this object: want one of the fields %s", strings.Join(textFields, ", "))
}
