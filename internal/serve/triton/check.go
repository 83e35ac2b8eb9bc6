package triton

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
)

// inputs are a request's tensors after the model has checked them.
type inputs struct {
	request *kserve.Request
	tensors map[string]*tensor.Tensor
	rows    int64 // the batch dimension; 0 for a model that has none
	depth   int   // ensembles around
}

// batch is what statistics count for a request.
func (in *inputs) batch() int { return int(max(in.rows, 1)) }

// deliver gives the outputs that a client wants their data. Those that stay inside
// an ensemble may do without.
func (in *inputs) deliver(outputs []tensor.Tensor) {
	for i := range outputs {
		if in.depth == 0 && in.request.Wants(outputs[i].Name) {
			outputs[i].Fill()
		}
	}
}

// normalize checks a request against the model's config, as the reference server
// does before it queues one (src/infer_request.cc, Normalize), with its words.
func (m *served) normalize(r *kserve.Request) (*inputs, error) {
	for _, o := range r.Outputs {
		if !slices.ContainsFunc(m.config.Output, func(c *pb.ModelOutput) bool { return c.Name == o.Name }) {
			return nil, dialect.Errorf(dialect.Value, "", "unexpected inference output '%s' for model '%s'", o.Name, m.name)
		}
	}
	if r.Raw != nil {
		if err := m.nameRaw(r); err != nil {
			return nil, err
		}
	}
	in := &inputs{request: r, tensors: make(map[string]*tensor.Tensor, len(r.Inputs))}
	for i := range r.Inputs {
		t := &r.Inputs[i]
		if in.tensors[t.Name] != nil {
			return nil, m.refuse(r, "input '%s' already exists in request", t.Name)
		}
		in.tensors[t.Name] = t
	}
	if err := m.checkNames(in); err != nil {
		return nil, err
	}
	if err := m.checkBatch(in); err != nil {
		return nil, err
	}
	for _, c := range m.config.Input {
		if t := in.tensors[c.Name]; t != nil {
			if err := m.checkInput(in, t, c); err != nil {
				return nil, err
			}
		}
	}
	return in, nil
}

// refuse is an error of a request, named by its id.
func (m *served) refuse(r *kserve.Request, format string, args ...any) error {
	return dialect.Errorf(dialect.Value, "", "[request id: %s] %s", cmp.Or(r.ID, "<id_unknown>"), fmt.Sprintf(format, args...))
}

// nameRaw makes a body without JSON the model's only input.
func (m *served) nameRaw(r *kserve.Request) error {
	if len(m.config.Input) != 1 {
		return m.refuse(r, "Raw request must only have 1 input to be deduced but got %d inputs in '%s' model configuration", len(m.config.Input), m.name)
	}
	c := m.config.Input[0]
	if c.DataType != pb.DataType_TYPE_STRING || !slices.Equal(c.Dims, []int64{1}) {
		return m.refuse(r, "For BYTE datatype raw input '%s', the model must have input shape [1]", c.Name)
	}
	shape := []int64{1}
	if m.config.MaxBatchSize > 0 {
		shape = []int64{1, 1}
	}
	r.Inputs = []tensor.Tensor{{Name: c.Name, Datatype: tensor.Bytes, Shape: shape, Data: tensor.AppendString(nil, string(r.Raw))}}
	return nil
}

func (m *served) checkNames(in *inputs) error {
	var missing, given []string
	for _, c := range m.config.Input {
		if in.tensors[c.Name] == nil && !c.Optional {
			missing = append(missing, "'"+c.Name+"'")
		}
	}
	for _, t := range in.request.Inputs {
		given = append(given, "'"+t.Name+"'")
	}
	if len(missing) > 0 && len(given) < len(m.config.Input) || len(given) > len(m.config.Input) {
		return m.refuse(in.request, "expected %d inputs but got %d inputs for model '%s'. Got input(s) [%s], but missing required input(s) [%s]. Please provide all required input(s).",
			len(m.config.Input), len(given), m.name, strings.Join(given, ","), strings.Join(missing, ","))
	}
	for _, t := range in.request.Inputs {
		if !slices.ContainsFunc(m.config.Input, func(c *pb.ModelInput) bool { return c.Name == t.Name }) {
			return dialect.Errorf(dialect.Value, "", "unexpected inference input '%s' for model '%s'", t.Name, m.name)
		}
	}
	return nil
}

// checkBatch takes the batch size from the inputs' first dimension.
func (m *served) checkBatch(in *inputs) error {
	if m.config.MaxBatchSize == 0 {
		return nil
	}
	for i := range in.request.Inputs {
		t := &in.request.Inputs[i]
		switch {
		case len(t.Shape) == 0:
			return m.refuse(in.request, "input '%s' has no shape but model requires batch dimension for '%s'", t.Name, m.name)
		case i > 0 && t.Shape[0] != in.rows:
			return m.refuse(in.request, "input '%s' batch size does not match other inputs for '%s'", t.Name, m.name)
		}
		in.rows = t.Shape[0]
	}
	if in.rows > int64(m.config.MaxBatchSize) {
		return m.refuse(in.request, "inference request batch-size must be <= %d for '%s'", m.config.MaxBatchSize, m.name)
	}
	if in.rows == 0 {
		return m.refuse(in.request, "inference request batch-size must be >= 1 for '%s'", m.name)
	}
	return nil
}

func (m *served) checkInput(in *inputs, t *tensor.Tensor, c *pb.ModelInput) error {
	if want := protocolType(c.DataType); t.Datatype != want {
		return m.refuse(in.request, "inference input '%s' data-type is '%s', but model '%s' expects '%s'", t.Name, t.Datatype, m.name, want)
	}
	dims, note := t.Shape, ""
	full := c.Dims
	if m.config.MaxBatchSize > 0 {
		dims = t.Shape[1:]
		full = append([]int64{-1}, c.Dims...)
		note = " NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension to be prepended to each input shape."
	}
	if !matches(dims, c.Dims) {
		return m.refuse(in.request, "unexpected shape for input '%s' for model '%s'. Expected %s, got %s.%s",
			t.Name, m.name, tensor.FormatShape(full), tensor.FormatShape(t.Shape), note)
	}
	n, err := tensor.Elements(t.Shape)
	if err != nil {
		return m.refuse(in.request, "input '%s' for model '%s': %v", t.Name, m.name, err)
	}
	if t.Source != nil {
		return nil // another model's output: as large as its shape says
	}
	if t.Datatype == tensor.Bytes {
		if err := tensor.CheckStrings(t.Data, n); err != nil {
			return m.refuse(in.request, "inference input '%s' for model '%s': %v", t.Name, m.name, err)
		}
		return nil
	}
	size, err := tensor.ByteSize(t.Datatype, t.Shape)
	if err != nil || size != int64(len(t.Data)) {
		return m.refuse(in.request, "input byte size mismatch for input '%s' for model '%s'. Expected %d, got %d", t.Name, m.name, size, len(t.Data))
	}
	return nil
}

// matches compares a shape with a config's dims, of which -1 is any.
func matches(shape, dims []int64) bool {
	return slices.EqualFunc(shape, dims, func(have, want int64) bool { return want == -1 || have == want })
}

// protocolType is the name that the protocol has for a config's data_type.
func protocolType(d pb.DataType) tensor.Datatype {
	if d == pb.DataType_TYPE_STRING {
		return tensor.Bytes
	}
	return tensor.Datatype(strings.TrimPrefix(d.String(), "TYPE_"))
}
