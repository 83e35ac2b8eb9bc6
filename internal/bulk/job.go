package bulk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/paceline/paceline/internal/dataset"
	"github.com/paceline/paceline/internal/encode"
)

// Encoder makes vectors of texts. It is safe for concurrent use.
type Encoder interface {
	Texts(ctx context.Context, texts []string, o encode.Options) ([][]float32, error)
}

// Job says what is embedded, how, and where it goes.
type Job struct {
	Inputs      []string       // files, or - for Stdin
	InputFormat dataset.Format // "" to go by each name
	Stdin       io.Reader
	Columns     dataset.Selection // Keep is nil for the id's column, if there is one

	Out       string    // a file, or - for Stdout
	Format    Format    // of the output
	Stdout    io.Writer // is not resumed
	Overwrite bool      // replace Out when the new one is whole
	Restart   bool      // drop what an unfinished run left

	Encoder Encoder
	Threads int // of the encoder
	Options encode.Options
	Dim     int    // values in a vector as Options has it
	Origin  Origin // of the vectors

	Checkpoint time.Duration // of work that a killed run may lose; more where that is fewer than a piece's least rows
	Watcher    Watcher

	sizes sizes // usual, except in tests
}

// Origin is all that decides a vector beside its text: vectors of one origin may stand
// in one file.
type Origin struct {
	Model      string `json:"model"` // name and revision, or a digest of its files
	DType      string `json:"dtype"`
	Dimensions int    `json:"dimensions"`
	Normalize  bool   `json:"normalize"`
	Prompt     string `json:"prompt,omitempty"`
	LongText   string `json:"long_text"`
}

// Watcher is told how a job goes on, by one goroutine at a time.
type Watcher interface {
	// Resumed tells that rows are done already, and are read again.
	Resumed(dir string, rows int64)
	Progress(Status)
}

// Status is how far a job is.
type Status struct {
	Counts
	Read, Bytes int64 // of the input; Bytes is 0 where that is not known
}

// Counts are what a job has done, earlier runs included.
type Counts struct {
	Rows       int64  `json:"rows"`
	Tokens     int64  `json:"tokens"`    // as computed
	Truncated  int64  `json:"truncated"` // texts that lost their end
	Chunked    int64  `json:"chunked"`   // texts embedded in several chunks
	Empty      int64  `json:"empty"`     // rows without a text, which have no vector
	FirstEmpty string `json:"first_empty,omitempty"`
}

// ErrJob is a job that contradicts itself.
var ErrJob = errors.New("impossible job")

// Format is how vectors are written.
type Format string

// The formats.
const (
	Parquet Format = "parquet" // the columns kept, and embedding: a list of float32, null without a text
	JSONL   Format = "jsonl"   // the same as an object a line
	NPY     Format = "npy"     // float32, rows x dimensions; zeros without a text
)

// FormatOf is a file's format by its name; "" if that does not tell.
func FormatOf(name string) Format {
	switch f := Format(strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")); f {
	case Parquet, JSONL, NPY:
		return f
	case "ndjson":
		return JSONL
	}
	return ""
}

// vectorColumn is the name of the vectors' column.
const vectorColumn = "embedding"

func (j *Job) check() error {
	switch {
	case len(j.Inputs) == 0:
		return fmt.Errorf("%w: there is no input", ErrJob)
	case slices.Contains(j.Inputs, "-") && len(j.Inputs) > 1:
		return fmt.Errorf("%w: standard input cannot be one of several inputs", ErrJob)
	case j.Format == NPY && j.Out == "-":
		return fmt.Errorf("%w: an npy file begins with its number of rows, which a stream does not know: write jsonl or parquet, or to a file", ErrJob)
	case j.Format == NPY && len(j.Columns.Keep) > 0:
		return fmt.Errorf("%w: an npy file has no columns beside the vectors: write parquet or jsonl to keep %s", ErrJob, strings.Join(j.Columns.Keep, ", "))
	case slices.Contains(j.Columns.Keep, vectorColumn):
		return fmt.Errorf("%w: the column %s is the vectors': another of that name cannot be kept", ErrJob, vectorColumn)
	}
	for i, name := range j.Columns.Keep {
		if slices.Contains(j.Columns.Keep[:i], name) {
			return fmt.Errorf("%w: the column %s is to be kept twice", ErrJob, name)
		}
	}
	return nil
}
