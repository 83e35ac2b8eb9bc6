package paceline

import (
	"github.com/paceline/paceline/internal/encode"
	"github.com/paceline/paceline/internal/pipeline"
)

// LongText says what becomes of a text of more tokens than [Model.MaxTokens].
type LongText = pipeline.LongText

// What can become of it.
const (
	// LongTruncate cuts off the end: the default.
	LongTruncate = pipeline.LongTruncate
	// LongChunkMean embeds the text in pieces, each as long as the model takes and
	// with the prompt and the special tokens of a text of its own. The embedding is
	// the mean of the pieces' vectors, each counted as often as it has tokens of the
	// text, and then scaled as any other.
	LongChunkMean = pipeline.LongChunkMean
	// LongError refuses it with [ErrTooLong].
	LongError = pipeline.LongError
)

// WithLongText sets what becomes of texts of more than [Model.MaxTokens] tokens.
func WithLongText(l LongText) EmbedOption {
	return func(o *embedOptions) { o.Long = l }
}

// TextReport says how a text was embedded.
type TextReport struct {
	Index     int  // into the texts of the call
	Tokens    int  // as computed, special tokens and prompts of every chunk included
	Chunks    int  // 1 unless it was embedded in pieces
	Truncated bool // its end was cut off
}

// WithReport has every text reported. The function is called from several
// goroutines at once, before the text is computed.
func WithReport(report func(TextReport)) EmbedOption {
	return func(o *embedOptions) {
		o.Report = func(r encode.Report) { report(TextReport(r)) }
	}
}
