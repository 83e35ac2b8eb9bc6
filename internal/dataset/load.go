package dataset

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Load reads all texts of a file or folder; see LoadFirst.
func Load(ctx context.Context, path string) (Set, error) { return LoadFirst(ctx, path, 0) }

// LoadFirst reads the first count texts (0: all) of a file, which is one of the following by its name, or of the
// corpus.jsonl of a folder in BEIR layout. Texts without a character are left out; a file without texts is an error, as
// is a text that is no UTF-8.
//
//	.json             a list of strings, as Save writes it
//	.jsonl, .ndjson   a line a text: a string, or an object with a text (or passage …) and possibly a title before it
//	.csv              a first line with the names of the columns, or a single column
//	.tsv              the last column: MS MARCO's collection.tsv is id and passage
//	.parquet          a column of text, or of lists of texts as in MS MARCO's passages
//	any other         a line a text
func LoadFirst(ctx context.Context, path string, count int) (Set, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "corpus.jsonl")
	}
	file, err := os.Open(path)
	if err != nil {
		return Set{}, fmt.Errorf("read texts: %w", err)
	}
	defer file.Close()
	texts, err := first(ctx, readerOf(file), count)
	if err != nil {
		return Set{}, fmt.Errorf("read texts from %s: %w", path, err)
	}
	return newSet(path, texts), nil
}

// readerOf is the texts of a file, by its name.
func readerOf(file *os.File) iter.Seq2[string, error] {
	switch strings.ToLower(filepath.Ext(file.Name())) {
	case ".json":
		return jsonTexts(file)
	case ".jsonl", ".ndjson":
		return lineTexts(file, fromJSON)
	case ".csv":
		return csvTexts(file)
	case ".tsv":
		return lineTexts(file, lastColumn)
	case ".parquet":
		return parquetFileTexts(file)
	}
	return lineTexts(file, func(line string) (string, error) { return line, nil })
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
		case strings.TrimSpace(text) == "":
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

// failed is a source that ends with an error.
func failed(err error) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield("", err) }
}

// textFields are the names of fields and columns that hold a text, the likeliest first.
var textFields = []string{"text", "passage_text", "passage", "sentence", "content", "contents", "body"}

// parquetFileTexts are the texts of a Parquet file.
func parquetFileTexts(file *os.File) iter.Seq2[string, error] {
	info, err := file.Stat()
	if err != nil {
		return failed(err)
	}
	return parquetTexts(file, info.Size())
}
