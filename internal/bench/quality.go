package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/paceline/paceline/internal/bench/quality"
	"github.com/paceline/paceline/internal/bench/record"
)

// examBatch is how many texts a stack is asked at once, where it takes so many.
const examBatch = 32

// sitting is one stack's answers under way.
type sitting struct {
	*quality.Sitting
	stack *stack
	took  time.Duration
	batch int
}

// measureQuality has every stack embed the exam's texts through its own API, in
// turns, when all timing is over. It is no part of the budget: whoever asks for it
// knows how many texts there are.
func (b *bench) measureQuality(ctx context.Context) {
	if b.Exam == nil {
		return
	}
	var sittings []*sitting
	for _, s := range b.alive(0) {
		sittings = append(sittings, &sitting{Sitting: b.Exam.Sit(), stack: s, batch: max(1, min(examBatch, s.largest))})
	}
	said, all := 0, len(b.Exam.Texts())*len(sittings)
	for left := all; left > 0 && ctx.Err() == nil; {
		if tenth := 10 * (all - left) / all; left == all || tenth > said {
			said = tenth
			b.Watcher.Stage(fmt.Sprintf("quality: %d of %s embedded", all-left, english.Plural(all, "text", "")))
		}
		left = 0
		for _, s := range sittings {
			b.examine(ctx, s)
			left += len(s.Left())
		}
	}
	for _, s := range sittings {
		if s.stack.record.Error == "" && s.stack.record.Quality == nil && len(s.Left()) == 0 {
			q := s.Result()
			q.Seconds = s.took.Seconds()
			s.stack.record.Quality = &q
		}
	}
}

// examine asks a stack the next batch of texts. One that answers nothing has no
// quality; its other figures stand.
func (b *bench) examine(ctx context.Context, s *sitting) {
	texts := s.Left()
	if len(texts) == 0 || ctx.Err() != nil {
		return
	}
	began := time.Now()
	vectors, err := s.stack.driver.Embed(ctx, texts[:min(s.batch, len(texts))])
	s.took += time.Since(began)
	switch {
	case ctx.Err() != nil:
	case err != nil && refusedBy(err) && s.batch > 1:
		s.batch /= 2
	case err != nil:
		answered := len(b.Exam.Texts()) - len(texts)
		s.stack.record.Quality = &record.Quality{Texts: answered, Seconds: s.took.Seconds(), Error: fmt.Sprintf("text %d: %v", answered+1, err)}
		s.Sitting = quality.New(nil, nil, quality.Prompts{}).Sit() // nothing more to ask
		b.warn(record.Warning{Stack: s.stack.Name, Code: "quality_failed", Text: fmt.Sprintf("It failed at text %d of the quality check: %v", answered+1, err),
			Advice: "See its log; its other figures stand."})
	default:
		s.Answer(vectors)
	}
}
