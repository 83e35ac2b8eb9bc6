package dataset

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"unicode/utf8"
)

// Load reads all texts of a file or folder; see LoadFirst.
func Load(ctx context.Context, path string) (Set, error) { return LoadFirst(ctx, path, 0) }

// LoadFirst reads the first count texts (0: all) of a file, which is one of the following by its name, or of the
// corpus.jsonl of a folder in BEIR layout. Texts without a character are left out; a file without texts is an error, as
// is a text that is no UTF-8.
//
//	.json             a list of strings, as Save writes it, or of objects
//	.jsonl, .ndjson   a line a text: a string, or an object with a text (or passage …) and possibly a title before it
//	.csv              a first line with the names of the columns, or a single column
//	.tsv              the last column: MS MARCO's collection.tsv is id and passage
//	.parquet          a column of text, or of lists of texts as in MS MARCO's passages
//	any other         a line a text
//
// All but Parquet may be packed (.gz).
func LoadFirst(ctx context.Context, path string, count int) (Set, error) {
	file, err := Open(path, "")
	if err != nil {
		return Set{}, err
	}
	defer file.Close()
	texts, err := first(ctx, file.texts(), count)
	if err != nil {
		return Set{}, fmt.Errorf("read texts from %s: %w", file.Name, err)
	}
	return newSet(file.Name, texts), nil
}

// texts are the rows' texts. Each row must have one, if it be empty.
func (f *File) texts() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for row, err := range f.Rows(Selection{}) {
			if err == nil && row.Missing {
				err = f.At(row, errNoTextIn(""))
			}
			if !yield(row.Text, err) || err != nil {
				return
			}
		}
	}
}

// errNoTexts is a source without any text.
var errNoTexts = errors.New("it has no texts")

// first takes count texts (0: all) that have a character.
func first(ctx context.Context, source iter.Seq2[string, error], count int) ([]string, error) {
	var texts []string
	for text, err := range source {
		switch {
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case isBlank(text):
			continue
		}
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("text %d is not UTF-8: %.40q", len(texts)+1, text)
		}
		if texts = append(texts, text); len(texts) == count {
			break
		}
	}
	if len(texts) == 0 {
		return nil, errNoTexts
	}
	return texts, nil
}
