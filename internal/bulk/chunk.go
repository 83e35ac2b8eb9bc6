package bulk

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/paceline/paceline/internal/dataset"
	"github.com/paceline/paceline/internal/encode"
)

// chunk is rows on their way through the encoder.
type chunk struct {
	file    *dataset.File
	rows    []dataset.Row
	digest  []byte // of all rows up to its last
	read    int64  // bytes of the input up to there
	vectors [][]float32
	counts  Counts
	err     error
	done    chan struct{} // closed when vectors, counts and err are there
}

// encode makes the vectors of the rows that have a text; the others' are nil.
func (c *chunk) encode(ctx context.Context, j *Job) {
	defer close(c.done)
	texts := make([]string, 0, len(c.rows))
	places := make([]int, 0, len(c.rows)) // of the texts among the rows
	for i, row := range c.rows {
		if isEmpty(row) {
			c.countEmpty(row)
			continue
		}
		texts, places = append(texts, row.Text), append(places, i)
		c.rows[i].Text = "" // only its vector goes on
	}
	c.counts.Rows = int64(len(c.rows))
	c.vectors = make([][]float32, len(c.rows))
	vectors, err := j.Encoder.Texts(ctx, texts, c.options(j.Options))
	var text *encode.TextError
	if errors.As(err, &text) {
		err = fmt.Errorf("%s: %w", c.file.Name, c.file.At(c.rows[places[text.Index]], text.Err))
	}
	if c.err = err; err != nil {
		return
	}
	for i, v := range vectors {
		c.vectors[places[i]] = v
	}
}

func (c *chunk) countEmpty(row dataset.Row) {
	if c.counts.Empty++; c.counts.Empty == 1 {
		c.counts.FirstEmpty = c.file.Name + " " + c.file.Place(row)
	}
}

// options has what becomes of long texts counted.
func (c *chunk) options(o encode.Options) encode.Options {
	var mu sync.Mutex
	o.Report = func(r encode.Report) {
		mu.Lock()
		defer mu.Unlock()
		c.counts.Tokens += int64(r.Tokens)
		if r.Truncated {
			c.counts.Truncated++
		}
		if r.Chunks > 1 {
			c.counts.Chunked++
		}
	}
	return o
}

func (c *Counts) add(o Counts) {
	c.Rows += o.Rows
	c.Tokens += o.Tokens
	c.Truncated += o.Truncated
	c.Chunked += o.Chunked
	c.Empty += o.Empty
	if c.FirstEmpty == "" {
		c.FirstEmpty = o.FirstEmpty
	}
}
