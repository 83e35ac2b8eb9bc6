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
	outputs := make([]tensor.Tensor, len(t.config.Output))
	for i, o := range t.config.Output {
		outputs[i] = t.padded(o, rows)
	}
	took := timing{input: decoded.Sub(began), infer: prepared.Sub(decoded), output: time.Since(prepared)}
	t.stats.executed(in.batch(), took.infer)
	t.stats.prepared(in.batch(), took.input, took.output)
	return outputs, took, nil
}

// padded lays the rows of one output side by side, each padded with 0.
func (t *tokenizer) padded(o *pb.ModelOutput, rows []pipeline.Prepared) tensor.Tensor {
	longest := 0
	for i := range rows {
		longest = max(longest, len(rows[i].IDs))
	}
	d := protocolType(o.DataType)
	out := tensor.Tensor{Name: o.Name, Datatype: d, Shape: shape(len(rows), int64(longest))}
	out.Data = make([]byte, 0, len(rows)*longest*d.Size())
	for i := range rows {
		row := &rows[i]
		for k := range longest {
			v := int64(0)
			switch {
			case k >= len(row.IDs):
			case o == t.idsOut:
				v = int64(row.IDs[k])
			case o == t.maskOut:
				v = 1
			case row.Types != nil:
				v = int64(row.Types[k])
			}
			out.Data = tensor.AppendInt(out.Data, d, v)
		}
	}
	return out
}
