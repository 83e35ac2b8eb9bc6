package dataset

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Pairs are sentences that people compared.
type Pairs struct {
	Name string // the file's
	List []Pair
}

// Pair is two sentences and how alike people found them, on any rising scale.
type Pair struct {
	A, B  string
	Score float64
}

// LoadPairs reads comma-separated values (RFC 4180) of two sentences and a score,
// with or without a line of column names; of a folder, the one file whose name has
// "test" in it and ends in .csv.
func LoadPairs(ctx context.Context, path string) (*Pairs, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		found, _ := filepath.Glob(filepath.Join(path, "*test*.csv")) // the pattern is well-formed
		if len(found) != 1 {
			return nil, fmt.Errorf("%s: %d files are named *test*.csv, want one of sentence pairs, or a corpus.jsonl in BEIR layout", path, len(found))
		}
		path = found[0]
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read sentence pairs: %w", err)
	}
	defer file.Close()
	list, err := parsePairs(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("read sentence pairs from %s: %w", path, err)
	}
	return &Pairs{filepath.Base(path), list}, nil
}

func parsePairs(ctx context.Context, r io.Reader) (list []Pair, err error) {
	records := csv.NewReader(r)
	records.FieldsPerRecord = 3
	for first := true; ; first = false {
		record, err := records.Read()
		switch {
		case errors.Is(err, io.EOF) && len(list) == 0:
			return nil, errNoTexts
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, err // it names the line
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		}
		score, err := strconv.ParseFloat(strings.TrimSpace(record[2]), 64)
		line, _ := records.FieldPos(2)
		switch {
		case err != nil && first:
			continue // the names of the columns
		case err != nil || math.IsNaN(score):
			return nil, fmt.Errorf("line %d: the score %q is no number", line, record[2])
		case !utf8.ValidString(record[0]) || !utf8.ValidString(record[1]):
			return nil, fmt.Errorf("line %d: not UTF-8", line)
		case strings.TrimSpace(record[0]) == "" || strings.TrimSpace(record[1]) == "":
			return nil, fmt.Errorf("line %d: a sentence is empty", line)
		}
		list = append(list, Pair{record[0], record[1], score})
	}
}
