package serve

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/token"
)

// maxTokenValues bounds the vectors of single tokens that one request may ask
// for: 256 MiB of float32.
const maxTokenValues = 64 << 20

// job is a request on its way through the model.
type job struct {
	model   *hosted
	request *dialect.Request
	result  dialect.Result
	items   []batch.Item
	vectors *[]float32 // where all the vectors lie; from the pool
	reuse   bool       // nobody writes to vectors any more
}

var vectorPool sync.Pool // of *[]float32

func newJob(h *hosted, r *dialect.Request) *job {
	return &job{model: h, request: r, result: dialect.Result{Model: h.Name}, reuse: true}
}

// release gives the vectors back. After it the result must not be used.
func (j *job) release() {
	if j.vectors != nil && j.reuse {
		vectorPool.Put(j.vectors)
	}
}

// run does what the request wants and fills the result.
func (j *job) run(ctx context.Context) error {
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
		return err // the engine may still be writing: the vectors are left to the collector
	}
	j.reuse = true
	j.result.Times.Queue, j.result.Times.Inference = report.Queued, report.Inference
	j.result.BatchRequests, j.result.BatchTexts = report.Requests, report.Texts
	return j.finish()
}

// prepare turns the inputs into token ids.
func (j *job) prepare(ctx context.Context) error {
	r := j.request
	o := pipeline.PrepareOptions{
		PromptName: r.PromptName, Truncate: r.Truncate.Or(j.model.info.TruncatesDefault),
		TruncateLeft: r.TruncateLeft, MaxTokens: r.MaxTokens, NoSpecial: r.NoSpecial,
	}
	if r.PromptName == "" {
		o.Prompt = j.model.prompt
	}
	j.items = make([]batch.Item, len(r.Inputs))
	for i := range r.Inputs {
		if i%256 == 255 && ctx.Err() != nil {
			return ctx.Err()
		}
		in := &r.Inputs[i]
		p, err := j.model.Pipeline.Prepare(pipeline.Input{Text: in.Text, IDs: in.IDs}, o)
		if err != nil {
			return inputError(err, i, len(r.Inputs))
		}
		j.items[i] = batch.Item{IDs: p.IDs, Types: p.Types, Skip: p.Skip}
		j.result.InputTokens += len(p.IDs)
		j.result.Characters += len(in.IDs) + utf8.RuneCountInString(in.Text)
		if p.Truncated {
			j.result.Truncated++
		}
	}
	return nil
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
	width, total := j.model.Width, 0
	if j.request.Want == dialect.TokenVectors {
		width, total = j.model.Hidden, j.result.InputTokens*j.model.Hidden
		if total > maxTokenValues {
			return dialect.Errorf(dialect.TooMany, "", "%d tokens of %d values make %d; the limit is %d: send fewer or shorter inputs",
				j.result.InputTokens, width, total, maxTokenValues)
		}
	} else {
		total = len(j.items) * width
	}
	rest := j.allocate(total)
	for i := range j.items {
		item := &j.items[i]
		n := width
		if j.request.Want == dialect.TokenVectors {
			n *= len(item.IDs)
			item.Out.Tokens = rest[:n:n]
		} else {
			item.Out.Vector = rest[:n:n]
		}
		rest = rest[n:]
	}
	return nil
}

func (j *job) allocate(n int) []float32 {
	if v, _ := vectorPool.Get().(*[]float32); v != nil && cap(*v) >= n {
		j.vectors = v
	} else {
		fresh := make([]float32, n)
		j.vectors = &fresh
	}
	return (*j.vectors)[:n]
}

// finish makes the engine's outputs the result's vectors.
func (j *job) finish() error {
	if j.request.Want == dialect.TokenVectors {
		j.result.TokenVectors = make([][][]float32, len(j.items))
		for i := range j.items {
			j.result.TokenVectors[i] = rows(j.items[i].Out.Tokens, j.model.Hidden)
		}
		return nil
	}
	o := pipeline.FinishOptions{
		Normalize:  j.request.Normalize.Or(j.model.Pipeline.Normalizes()),
		Dimensions: j.request.Dimensions,
	}
	j.result.Vectors = make([][]float32, len(j.items))
	for i := range j.items {
		v, err := j.model.Pipeline.Finish(j.items[i].Out.Vector, o)
		if err != nil {
			return inputError(err, i, len(j.items))
		}
		j.result.Vectors[i] = v
	}
	return nil
}

func rows(flat []float32, width int) [][]float32 {
	list := make([][]float32, len(flat)/width)
	for i := range list {
		list[i] = flat[i*width:][:width]
	}
	return list
}

// tokenize fills Result.Tokens.
func (j *job) tokenize(ctx context.Context) error {
	p := j.model.Pipeline
	prompt := cmp.Or(j.model.prompt, p.DefaultPrompt())
	if name := j.request.PromptName; name != "" {
		var ok bool
		if prompt, ok = p.Prompts()[name]; !ok {
			return dialect.Errorf(dialect.Value, "prompt_name", "there is no prompt named %q", name)
		}
	}
	tok := p.Tokenizer()
	for i := range j.request.Inputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		text := prompt + j.request.Inputs[i].Text
		e := tok.Encode(text, token.Options{Special: !j.request.NoSpecial, Offsets: true})
		tokens := make([]dialect.Token, len(e.IDs))
		for k, id := range e.IDs {
			t := dialect.Token{ID: id, Special: e.Special[k]}
			if t.Special {
				t.Text, _ = tok.Token(id)
			} else {
				t.Start, t.Stop = e.Offsets[k].Start, e.Offsets[k].End
				t.Text = text[t.Start:t.Stop]
			}
			tokens[k] = t
		}
		j.result.Tokens = append(j.result.Tokens, tokens)
	}
	return nil
}

// detokenize fills Result.Texts.
func (j *job) detokenize() error {
	tok := j.model.Pipeline.Tokenizer()
	for i := range j.request.Inputs {
		ids := j.request.Inputs[i].IDs
		for k, id := range ids {
			if _, ok := tok.Token(id); !ok {
				return dialect.Errorf(dialect.Value, "ids", "token id %d at index %d of list %d is outside the vocabulary", id, k, i)
			}
		}
		j.result.Texts = append(j.result.Texts, tok.Decode(ids, j.request.SkipSpecial))
	}
	return nil
}
