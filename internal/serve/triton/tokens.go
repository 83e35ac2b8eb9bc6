package triton

import (
	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/pipeline"
)

// tokens are what a tokenizer has made of a request's texts. The next model of an
// ensemble takes them as they are if it can; padded they are for those who read
// tensors.
type tokens struct {
	by      *pipeline.Pipeline
	rows    []pipeline.Prepared
	longest int
}

func newTokens(by *pipeline.Pipeline, rows []pipeline.Prepared) *tokens {
	t := &tokens{by: by, rows: rows}
	for i := range rows {
		t.longest = max(t.longest, len(rows[i].IDs))
	}
	return t
}

// tokenTensor is one output of a tokenizer: the rows side by side, each padded
// with 0.
type tokenTensor struct {
	*tokens
	role tokenRole
}

type tokenRole int

const (
	roleIDs tokenRole = iota
	roleMask
	roleTypes
)

// output is the tensor of that role.
func (t *tokens) output(o *pb.ModelOutput, role tokenRole) tensor.Tensor {
	return tensor.Tensor{
		Name: o.Name, Datatype: protocolType(o.DataType), Shape: shape(len(t.rows), int64(t.longest)),
		Source: &tokenTensor{tokens: t, role: role},
	}
}

// Data writes the tensor's elements.
func (t *tokenTensor) Data(d tensor.Datatype) []byte {
	data := make([]byte, 0, len(t.rows)*t.longest*d.Size())
	for i := range t.rows {
		row := &t.rows[i]
		for k := range t.longest {
			data = tensor.AppendInt(data, d, t.at(row, k))
		}
	}
	return data
}

func (t *tokenTensor) at(row *pipeline.Prepared, k int) int64 {
	switch {
	case k >= len(row.IDs):
		return 0
	case t.role == roleIDs:
		return int64(row.IDs[k])
	case t.role == roleMask:
		return 1
	case row.Types != nil:
		return int64(row.Types[k])
	}
	return 0
}

// handed are the tokens behind an encoder's inputs, unless nil: all of the same
// texts, made by the encoder's own pipeline, which has checked them. Then padding
// them for the encoder to cut off again would be for nothing.
func (e *encoder) handed(in *inputs) *tokens {
	ids := tokensBehind(in, e.ids, roleIDs)
	if ids == nil || ids.by != e.opened.Pipeline || tokensBehind(in, e.mask, roleMask) != ids {
		return nil
	}
	if e.types != nil && in.tensors[e.types.Name] != nil && tokensBehind(in, e.types, roleTypes) != ids {
		return nil
	}
	return ids
}

// tokensBehind are the tokens whose tensor of that role an input is.
func tokensBehind(in *inputs, c *pb.ModelInput, role tokenRole) *tokens {
	if c == nil || in.tensors[c.Name] == nil {
		return nil
	}
	if t, ok := in.tensors[c.Name].Source.(*tokenTensor); ok && t.role == role {
		return t.tokens
	}
	return nil
}
