package batch

import (
	"context"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/model"
)

// part is what one request put into a batch or into one engine call.
type part struct {
	request *request
	items   []Item
}

// batch is what a policy took at once. It reaches the engine in one call or
// several, each flattened into flat.
type batch struct {
	parts   []part
	call    []part // of the engine call under way
	flat    model.Batch
	size    BatchReport     // what its calls amount to so far
	context context.Context // ends when all its requests have ended
	cancel  context.CancelFunc
	started time.Time
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func newBatch() *batch { return batches.Get().(*batch) }

// release gives the batch's memory to the next one.
func (b *batch) release() {
	clear(b.parts[:cap(b.parts)])
	clear(b.call[:cap(b.call)])
	b.flat.Reset()
	*b = batch{parts: b.parts[:0], call: b.call[:0], flat: b.flat}
	batches.Put(b)
}

// count adds the texts of an engine call; first tells that they are the first of
// their request in this batch.
func (b *batch) count(first bool, items []Item) {
	if first {
		b.size.Requests++
	}
	b.size.Texts += len(items)
	b.size.Tokens += countTokens(items)
}

// abandoned tells whether nobody waits for any of its texts.
func (b *batch) abandoned() bool {
	for _, p := range b.parts {
		if !p.request.answered {
			return false
		}
	}
	return true
}

// flatten lays the texts of some parts one after another, for one engine call.
func (b *batch) flatten(parts []part) *model.Batch {
	b.flat.Reset()
	for _, p := range parts {
		for _, item := range p.items {
			b.flat.Append(item.IDs, item.Types, item.Skip, item.Out)
		}
	}
	return &b.flat
}

func countTokens(items []Item) int {
	n := 0
	for i := range items {
		n += len(items[i].IDs)
	}
	return n
}
