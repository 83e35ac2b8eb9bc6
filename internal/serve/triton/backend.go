package triton

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/pipeline"
)

// roles tell what a config's tensors mean, by their datatypes and, among
// integers, by their names.
type roles struct {
	texts     *pb.ModelInput // BYTES
	ids, mask *pb.ModelInput // integers
	types     *pb.ModelInput

	vectors         *pb.ModelOutput // FP32
	idsOut, maskOut *pb.ModelOutput
	typesOut        *pb.ModelOutput
}

// rolesOf refuses what no backend of ours computes.
func rolesOf(c *pb.ModelConfig) (r roles, err error) {
	for _, in := range c.Input {
		switch place, known := roleOf(in.Name, protocolType(in.DataType), &r.texts, nil, &r.ids, &r.mask, &r.types); {
		case !known:
			return r, fmt.Errorf("input '%s' of %v has no meaning here: texts are TYPE_STRING; token ids, attention mask and token types are integers", in.Name, in.DataType)
		case *place != nil:
			return r, fmt.Errorf("inputs '%s' and '%s' mean the same", (*place).Name, in.Name)
		default:
			*place = in
		}
	}
	for _, out := range c.Output {
		switch place, known := roleOf(out.Name, protocolType(out.DataType), nil, &r.vectors, &r.idsOut, &r.maskOut, &r.typesOut); {
		case !known:
			return r, fmt.Errorf("output '%s' of %v has no meaning here: embeddings are TYPE_FP32; token ids, attention mask and token types are integers", out.Name, out.DataType)
		case *place != nil:
			return r, fmt.Errorf("outputs '%s' and '%s' mean the same", (*place).Name, out.Name)
		default:
			*place = out
		}
	}
	return r, r.check(c)
}

func roleOf[T any](name string, d tensor.Datatype, texts, vectors, ids, mask, types **T) (place **T, known bool) {
	lower := strings.ToLower(name)
	switch d {
	case tensor.Bytes:
		return texts, texts != nil
	case tensor.FP32:
		return vectors, vectors != nil
	case tensor.Int32, tensor.Int64:
		switch {
		case strings.Contains(lower, "mask"):
			return mask, true
		case strings.Contains(lower, "type"), strings.Contains(lower, "segment"):
			return types, true
		}
		return ids, true
	}
	return nil, false
}

func (r *roles) check(c *pb.ModelConfig) error {
	batched := c.MaxBatchSize > 0
	switch {
	case r.texts != nil && (r.ids != nil || r.mask != nil || r.types != nil):
		return fmt.Errorf("texts and token ids cannot both be inputs")
	case r.texts == nil && r.ids == nil:
		return fmt.Errorf("one input must be texts (TYPE_STRING) or token ids (TYPE_INT32 or TYPE_INT64)")
	case r.vectors == nil && r.texts == nil:
		return fmt.Errorf("token ids come in, so embeddings (TYPE_FP32) must come out")
	case r.vectors != nil && len(c.Output) > 1:
		return fmt.Errorf("embeddings come out, and nothing else can")
	case r.vectors == nil && r.idsOut == nil:
		return fmt.Errorf("one output must be embeddings (TYPE_FP32) or token ids (TYPE_INT32 or TYPE_INT64)")
	case r.texts != nil && batched && !slices.Equal(r.texts.Dims, []int64{1}):
		return fmt.Errorf("input '%s' must have dims [ 1 ]: a row of the batch is one text", r.texts.Name)
	}
	rank := 2 // with the batch dimension
	if batched {
		rank = 1
	}
	for _, in := range []*pb.ModelInput{r.ids, r.mask, r.types} {
		if in != nil && len(in.Dims) != rank {
			return fmt.Errorf("input '%s' must have %d dims: a row of it is one text's tokens", in.Name, rank)
		}
	}
	return nil
}

// checkDim holds the config's embeddings against the model's.
func (r *roles) checkDim(dim int) error {
	if d := r.vectors.Dims[len(r.vectors.Dims)-1]; d != -1 && d != int64(dim) {
		return fmt.Errorf("output '%s' has dims %s but the model makes vectors of %d values", r.vectors.Name, tensor.FormatShape(r.vectors.Dims), dim)
	}
	return nil
}

// shape puts the batch dimension before a row's dims, where there is one, or
// takes the number of texts for it.
func shape(rows int, dims ...int64) []int64 { return append([]int64{int64(rows)}, dims...) }

// textsOf reads the texts of a checked tensor.
func textsOf(t *tensor.Tensor) ([]string, error) {
	n, err := tensor.Elements(t.Shape)
	if err != nil {
		return nil, err
	}
	return tensor.Strings(t.Data, n)
}

// prepareTexts makes token ids of texts as /embeddings does.
func prepareTexts(ctx context.Context, p *pipeline.Pipeline, texts []string) ([]pipeline.Prepared, error) {
	list := make([]pipeline.Prepared, len(texts))
	for i, text := range texts {
		if i%256 == 255 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var err error
		if list[i], err = p.Prepare(pipeline.Input{Text: text}, pipeline.PrepareOptions{Truncate: true}); err != nil {
			return nil, fmt.Errorf("text %d of %d: %w", i, len(texts), err)
		}
	}
	return list, nil
}
