package batch

import (
	"time"

	"github.com/paceline/paceline/internal/model"
)

// Item is one text: its token ids, special tokens included, and where its
// results go.
type Item struct {
	IDs   []int32 // none for a text without tokens, which static embeddings know
	Types []uint8 // token types, parallel to IDs; nil when all are 0
	Skip  int     // leading tokens that pooling leaves out
	Out   model.Output
}

// Job is one request: texts that are answered together.
type Job struct {
	Items  []Item
	Direct bool // by itself, past the policy's queue

	// For policies that are Ranked; others do not look at them.
	Priority uint64        // 1 is the highest; 0 for the policy's default
	Timeout  time.Duration // that it may wait; 0 for the policy's own
}

// Report tells how a request fared. Queued and Inference add up to the time
// from acceptance to answer.
type Report struct {
	Queued    time.Duration // until its first text entered the engine
	Inference time.Duration // from then until its last text had left it
	Requests  int           // requests in the batch it travelled in; the largest, if it was split
	Texts     int           // texts in that batch
	Tokens    int           // tokens in that batch
}
