package triton

import (
	"context"
	"time"

	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/pipeline"
)

// tokenizer makes padded token ids of texts. It runs on the request's own
// goroutine: nothing is gained by a queue.
type tokenizer struct {
	roles
	opened *Opened
	stats  *statistics
	config *pb.ModelConfig
}

func (t *tokenizer) close(context.Context) error { return t.opened.Close() }

func (t *tokenizer) run(ctx context.Context, in *inputs) ([]tensor.Tensor, timing, error) {
	began := time.Now()
	texts, err := textsOf(in.tensors[t.texts.Name])
	if err != nil {
		return nil, timing{}, err
	}
	decoded := time.Now()
	rows, err := prepareTexts(ctx, t.opened.Pipeline, texts)
	if err != nil {
		return nil, timing{}, err
	}
	prepared := time.Now()
	outputs := t.outputs(rows)
	in.deliver(outputs)
	took := timing{input: decoded.Sub(began), infer: prepared.Sub(decoded), output: time.Since(prepared)}
	t.stats.executed(in.batch(), took.infer)
	t.stats.prepared(in.batch(), took.input, took.output)
	return outputs, took, nil
}

// outputs are the config's, in its order.
func (t *tokenizer) outputs(rows []pipeline.Prepared) []tensor.Tensor {
	made := newTokens(t.opened.Pipeline, rows)
	list := make([]tensor.Tensor, len(t.config.Output))
	for i, o := range t.config.Output {
		role := roleTypes
		switch o {
		case t.idsOut:
			role = roleIDs
		case t.maskOut:
			role = roleMask
		}
		list[i] = made.output(o, role)
	}
	return list
}
