package pipeline

import (
	"fmt"

	"github.com/paceline/paceline/internal/token"
)

// LongText says what becomes of a text of more tokens than the model takes.
type LongText string

const (
	LongTruncate  LongText = "truncate"   // what is too much is cut off
	LongChunkMean LongText = "chunk-mean" // it is embedded in pieces: see PrepareChunks and Mean
	LongError     LongText = "error"      // it is refused
)

// ParseLongText reads one of them.
func ParseLongText(name string) (LongText, error) {
	switch l := LongText(name); l {
	case LongTruncate, LongChunkMean, LongError:
		return l, nil
	}
	return "", fmt.Errorf("long text %q is unknown: it must be truncate, chunk-mean or error", name)
}

// PrepareChunks turns an input of any length into sequences that the model takes:
// one, as Prepare makes it, if it fits, else its tokens cut into runs, each as long
// as the limit lets it be, with the special tokens and the prompt around every run
// (around token ids, nothing). weights are the runs' own tokens, without those. The
// input's vector is the Mean of theirs. The errors are Prepare's; ErrTooLong where
// prompt and special tokens leave no room.
func (p *Pipeline) PrepareChunks(in Input, o PrepareOptions) (chunks []Prepared, weights []int, err error) {
	limit := p.limit(o)
	if in.IDs != nil {
		return p.chunk(sequence{ids: in.IDs}, limit)
	}
	prompt, err := p.prompt(o)
	if err != nil {
		return nil, nil, err
	}
	encode := token.Options{Special: !o.NoSpecial && !p.modules.Static}
	e := p.tokenizer.Encode(prompt+in.Text, encode)
	s := sequence{ids: e.IDs, types: p.tokenTypes(e.Types)}
	for s.before < len(e.IDs) && e.Special[s.before] {
		s.before++
	}
	for s.after < len(e.IDs)-s.before && e.Special[len(e.IDs)-1-s.after] {
		s.after++
	}
	if prompt != "" {
		s.before = min(max(p.promptTokens(prompt, encode), s.before), len(e.IDs)-s.after)
		s.skip = !p.modules.IncludePrompt
	}
	return p.chunk(s, limit)
}

// sequence is an input's tokens: so many before its own and after them go around
// every chunk.
type sequence struct {
	ids           []int32
	types         []uint8 // nil when all are 0
	before, after int
	skip          bool // pooling leaves out what is before
}

func (p *Pipeline) chunk(s sequence, limit int) (chunks []Prepared, weights []int, err error) {
	if err := p.check(s.ids); err != nil {
		return nil, nil, err
	}
	own := len(s.ids) - s.before - s.after
	room := limit - s.before - s.after
	switch {
	case len(s.ids) <= limit:
		room = max(own, 1) // one chunk, empty or not
	case room < 1:
		return nil, nil, &TooLongError{Tokens: len(s.ids), Limit: limit}
	}
	for first := 0; first == 0 || first < own; first += room {
		n := min(room, own-first)
		c := Prepared{IDs: around(s.ids, s.before, first, n, s.after)}
		if s.types != nil {
			c.Types = around(s.types, s.before, first, n, s.after)
		}
		if s.skip {
			c.Skip = min(s.before, max(len(c.IDs)-1, 0))
		}
		chunks, weights = append(chunks, c), append(weights, n)
	}
	return chunks, weights, nil
}

// around is a run of n values, with what stands before and after all of them.
func around[T any](list []T, before, first, n, after int) []T {
	if len(list) == before+n+after {
		return list
	}
	run := make([]T, 0, before+n+after)
	run = append(run, list[:before]...)
	run = append(run, list[before+first:][:n]...)
	return append(run, list[len(list)-after:]...)
}

// Mean is the mean of an engine's vectors of the chunks of one input, each counted
// as often as it has tokens of its own; of one vector, that vector. It comes before
// Finish and is written over the first.
func Mean(vectors [][]float32, weights []int) []float32 {
	mean := vectors[0]
	if len(vectors) == 1 {
		return mean
	}
	total := 0
	for _, w := range weights {
		total += w
	}
	for i := range mean {
		var sum float64
		for k, v := range vectors {
			sum += float64(weights[k]) * float64(v[i])
		}
		mean[i] = float32(sum / float64(total))
	}
	return mean
}
