package triton

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
)

// encoder makes embeddings of token ids, or of texts, through a batch queue.
type encoder struct {
	roles
	opened *Opened
	stats  *statistics
	queue  *batch.Queue
	config *pb.ModelConfig
	values values // where the engine writes its results
}

func (e *encoder) close(ctx context.Context) error {
	return errors.Join(e.queue.Drain(ctx), e.opened.Close())
}

func (e *encoder) run(ctx context.Context, in *inputs) ([]tensor.Tensor, timing, error) {
	began := time.Now()
	rows, err := e.prepare(ctx, in)
	if err != nil {
		return nil, timing{}, err
	}
	width := e.opened.Width
	flat := e.values.take(len(rows) * width)
	job := &batch.Job{Items: make([]batch.Item, len(rows)), Priority: in.request.Priority, Timeout: in.request.Timeout}
	for i := range rows {
		job.Items[i] = batch.Item{IDs: rows[i].IDs, Types: rows[i].Types, Skip: rows[i].Skip}
		job.Items[i].Out.Vector = flat[i*width:][:width:width]
	}
	took := timing{input: time.Since(began)}
	report, err := e.queue.Do(ctx, job)
	if err != nil { // the engine may still be writing: the values are left to the collector
		return nil, timing{}, refusal(in.request, err)
	}
	defer e.values.put(flat)
	took.queue, took.infer = report.Queued, report.Inference
	finishing := time.Now()
	out, err := e.finish(job.Items)
	took.output = time.Since(finishing)
	e.stats.prepared(report.Texts, took.input, took.output)
	return []tensor.Tensor{out}, took, err
}

// refusal puts what the queue policy refuses into the reference server's words.
func refusal(r *kserve.Request, err error) error {
	id := cmp.Or(r.ID, "<id_unknown>")
	var overload *batch.OverloadError
	switch {
	case errors.Is(err, batch.ErrExpired):
		return dialect.Errorf(dialect.Overloaded, "", "[request id: %s] Request timeout expired", id)
	case errors.As(err, &overload):
		e := dialect.Errorf(dialect.Overloaded, "", "[request id: %s] Exceeds maximum queue size: %v", id, err)
		e.RetryAfter = overload.RetryAfter
		return e
	}
	return err
}

// prepare makes the sequences that the queue takes.
func (e *encoder) prepare(ctx context.Context, in *inputs) ([]pipeline.Prepared, error) {
	if e.texts != nil {
		texts, err := textsOf(in.tensors[e.texts.Name])
		if err != nil {
			return nil, err
		}
		return prepareTexts(ctx, e.opened.Pipeline, texts)
	}
	if made := e.handed(in); made != nil {
		return made.rows, nil
	}
	rows, err := e.rows(in)
	if err != nil {
		return nil, err
	}
	list := make([]pipeline.Prepared, len(rows))
	for i, row := range rows {
		p, err := e.opened.Pipeline.Prepare(pipeline.Input{IDs: row.ids}, pipeline.PrepareOptions{})
		if err != nil {
			return nil, fmt.Errorf("row %d of '%s': %w", i, e.ids.Name, err)
		}
		p.Types = row.types
		list[i] = p
	}
	return list, nil
}

// finish scales and cuts the vectors as the model's pipeline does.
func (e *encoder) finish(items []batch.Item) (tensor.Tensor, error) {
	p := e.opened.Pipeline
	out := tensor.Tensor{Name: e.vectors.Name, Datatype: tensor.FP32, Shape: shape(len(items), int64(p.Dim()))}
	out.Data = make([]byte, 0, 4*len(items)*p.Dim())
	for i := range items {
		v, err := p.Finish(items[i].Out.Vector, pipeline.FinishOptions{Normalize: p.Normalizes(), BeforeCut: true})
		if err != nil {
			return out, fmt.Errorf("row %d: %w", i, err)
		}
		out.Data = tensor.AppendFloats(out.Data, v)
	}
	return out, nil
}

// row is one text's tokens, without padding.
type row struct {
	ids   []int32
	types []uint8 // nil when all are 0
}

// rows cuts the padding off, by the attention mask. Its ones must be one run:
// a gap inside has no meaning for a text.
func (e *encoder) rows(in *inputs) ([]row, error) {
	for _, t := range in.tensors {
		t.Fill()
	}
	t := in.tensors[e.ids.Name]
	ids, err := tensor.Ints(t.Datatype, t.Data)
	if err != nil {
		return nil, err
	}
	mask, err := e.companion(in, e.mask, t)
	if err != nil {
		return nil, err
	}
	types, err := e.companion(in, e.types, t)
	if err != nil {
		return nil, err
	}
	n, width := int(t.Shape[0]), int(t.Shape[1])
	if n == 0 || width == 0 {
		return nil, dialect.Errorf(dialect.Value, "", "input '%s' has shape %s: there are no tokens in it", t.Name, tensor.FormatShape(t.Shape))
	}
	list := make([]row, n)
	for i := range list {
		first, end := 0, width
		if mask != nil {
			if first, end, err = run(mask[i*width:][:width], e.mask.Name, i); err != nil {
				return nil, err
			}
		}
		if list[i].ids, err = tokenIDs(ids[i*width+first:i*width+end], t.Name, i); err != nil {
			return nil, err
		}
		if types != nil {
			if list[i].types, err = tokenTypes(types[i*width+first:i*width+end], e.types.Name, i); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// companion reads an input that must have the shape of the token ids; nil if the
// model or the request has none.
func (e *encoder) companion(in *inputs, c *pb.ModelInput, ids *tensor.Tensor) ([]int64, error) {
	if c == nil || in.tensors[c.Name] == nil {
		return nil, nil
	}
	t := in.tensors[c.Name]
	if !matches(t.Shape, ids.Shape) {
		return nil, dialect.Errorf(dialect.Value, "", "input '%s' has shape %s but '%s' has %s: they must be the same",
			t.Name, tensor.FormatShape(t.Shape), ids.Name, tensor.FormatShape(ids.Shape))
	}
	return tensor.Ints(t.Datatype, t.Data)
}

// run finds the ones of a row's mask.
func run(mask []int64, name string, row int) (first, end int, err error) {
	first = -1
	for k, v := range mask {
		switch {
		case v != 0 && v != 1:
			return 0, 0, dialect.Errorf(dialect.Value, "", "input '%s' row %d has %d at index %d: a mask is 0 or 1", name, row, v, k)
		case v == 1 && first < 0:
			first, end = k, k+1
		case v == 1 && k > end:
			return 0, 0, dialect.Errorf(dialect.Value, "", "input '%s' row %d has a gap before index %d: the ones of a row must stand together", name, row, k)
		case v == 1:
			end = k + 1
		}
	}
	if first < 0 {
		return 0, 0, dialect.Errorf(dialect.Value, "", "input '%s' row %d is all 0: even an empty text has its special tokens", name, row)
	}
	return first, end, nil
}

func tokenIDs(list []int64, name string, row int) ([]int32, error) {
	ids := make([]int32, len(list))
	for k, v := range list {
		if ids[k] = int32(v); int64(ids[k]) != v || v < 0 {
			return nil, dialect.Errorf(dialect.Value, "", "input '%s' row %d has token id %d at index %d, which is outside the vocabulary", name, row, v, k)
		}
	}
	return ids, nil
}

func tokenTypes(list []int64, name string, row int) ([]uint8, error) {
	types := make([]uint8, len(list))
	zero := true
	for k, v := range list {
		if v != 0 && v != 1 {
			return nil, dialect.Errorf(dialect.Value, "", "input '%s' row %d has token type %d at index %d: it must be 0 or 1", name, row, v, k)
		}
		types[k] = uint8(v)
		zero = zero && v == 0
	}
	if zero {
		return nil, nil
	}
	return types, nil
}
