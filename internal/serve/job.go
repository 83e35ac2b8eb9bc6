package serve

import (
	"context"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect"
)

// maxValues bounds what the engine writes for one request: 256 MiB of float32.
const maxValues = 64 << 20

// job is a request on its way through the model.
type job struct {
	model   *hosted
	request *dialect.Request
	result  dialect.Result
	items   []batch.Item
	weights [][]int    // of each input's chunks, which have an item each; nil: an item is an input
	values  *[]float32 // where all the engine's results lie; from the pool
	reuse   bool       // nobody writes to values any more
}

var valuePool sync.Pool // of *[]float32

func newJob(h *hosted, r *dialect.Request) *job {
	return &job{model: h, request: r, result: dialect.Result{Model: h.Name}, reuse: true}
}

// release gives the values back. After it the result must not be used.
func (j *job) release() {
	if j.values != nil && j.reuse {
		valuePool.Put(j.values)
	}
}

// run does what the request wants and fills the result.
func (j *job) run(ctx context.Context) error {
	if err := j.request.Complete(&j.model.info); err != nil {
		return err
	}
	switch j.request.Want {
	case dialect.Tokens:
		return j.tokenize(ctx)
	case dialect.Texts:
		return j.detokenize()
	}
	if err := j.model.Pipeline.CheckDimensions(j.request.Dimensions); err != nil {
		return err
	}
	began := time.Now()
	if err := j.prepare(ctx); err != nil {
		return err
	}
	j.result.Times.Tokenize = time.Since(began)
	if err := j.provide(); err != nil {
		return err
	}
	j.reuse = false
	report, err := j.model.queue.Do(ctx, &batch.Job{Items: j.items, Direct: j.request.Direct})
	if err != nil {
		return err // the engine may still be writing: the values are left to the collector
	}
	j.reuse = true
	j.result.Times.Queue, j.result.Times.Inference = report.Queued, report.Inference
	j.result.BatchRequests, j.result.BatchTexts = report.Requests, report.Texts
	return j.finish()
}

// prepare turns the inputs into token ids.
func (j *job) prepare(ctx context.Context) error {
	o := j.prepareOptions()
	r := j.request
	j.items = make([]batch.Item, 0, len(r.Inputs))
	for i := range r.Inputs {
		if i%256 == 255 && ctx.Err() != nil {
			return ctx.Err()
		}
		in := &r.Inputs[i]
		if err := j.prepareInput(in, o); err != nil {
			return inputError(err, i, len(r.Inputs))
		}
		j.result.Characters += len(in.IDs) + utf8.RuneCountInString(in.Text)
		if in.Second != nil {
			j.result.Characters += utf8.RuneCountInString(*in.Second)
		}
	}
	return nil
}

func (j *job) prepareOptions() pipeline.PrepareOptions {
	r := j.request
	o := pipeline.PrepareOptions{
		Prompt: r.Prompt, PromptName: r.PromptName, Truncate: j.longText() == pipeline.LongTruncate,
		TruncateLeft: r.TruncateLeft, MaxTokens: r.MaxTokens, NoSpecial: r.NoSpecial,
	}
	if r.Prompt == "" && r.PromptName == "" {
		o.Prompt = j.model.prompt
	}
	return o
}

// prepareInput makes items of one input.
func (j *job) prepareInput(in *dialect.Input, o pipeline.PrepareOptions) error {
	if j.longText() == pipeline.LongChunkMean {
		return j.prepareChunks(in, o)
	}
	p, err := j.prepareOne(in, o)
	if err != nil {
		return err
	}
	j.add(p)
	if p.Truncated {
		j.result.Truncated++
	}
	return nil
}

func (j *job) prepareOne(in *dialect.Input, o pipeline.PrepareOptions) (pipeline.Prepared, error) {
	o = withPromptOf(in, o)
	tok := j.model.Pipeline.Tokenizer()
	text, cut := cutToTokens(tok, in.Text, in.Keep)
	if in.Second == nil {
		p, err := j.model.Pipeline.Prepare(pipeline.Input{Text: text, IDs: in.IDs}, o)
		p.Truncated = p.Truncated || cut
		return p, err
	}
	second, cutSecond := cutToTokens(tok, *in.Second, in.KeepSecond)
	p, err := j.model.Pipeline.PreparePair(text, second, o)
	p.Truncated = p.Truncated || cut || cutSecond
	return p, err
}

// withPromptOf puts an input's own prompt in place of its request's.
func withPromptOf(in *dialect.Input, o pipeline.PrepareOptions) pipeline.PrepareOptions {
	if in.Prompt != "" || in.PromptName != "" {
		o.Prompt, o.PromptName = in.Prompt, in.PromptName
	}
	return o
}

// inputError names the input that an error is about, where there are several.
func inputError(err error, i, n int) error {
	if n == 1 {
		return err
	}
	return fmt.Errorf("input %d of %d: %w", i, n, err)
}

// provide gives every item the place for its results.
func (j *job) provide() error {
	total := 0
	for i := range j.items {
		n, _ := j.place(i)
		total += n
	}
	if total > maxValues {
		return dialect.Errorf(dialect.TooMany, "", "the results for %d inputs with %d tokens have %d values; the limit is %d: send fewer or shorter inputs",
			len(j.items), j.result.InputTokens, total, maxValues)
	}
	rest := j.allocate(total)
	for i := range j.items {
		n, at := j.place(i)
		*at, rest = rest[:n:n], rest[n:]
	}
	return nil
}

// place says how many values the engine makes of item i, and where it is told to
// put them.
func (j *job) place(i int) (n int, at *[]float32) {
	item := &j.items[i]
	switch j.request.Want {
	case dialect.TokenVectors:
		return len(item.IDs) * j.model.Hidden, &item.Out.Tokens
	case dialect.Scores:
		return len(j.model.info.Labels), &item.Out.Logits
	default:
		return j.model.Width, &item.Out.Vector
	}
}

func (j *job) allocate(n int) []float32 {
	if v, _ := valuePool.Get().(*[]float32); v != nil && cap(*v) >= n {
		j.values = v
	} else {
		fresh := make([]float32, n)
		j.values = &fresh
	}
	return (*j.values)[:n]
}
