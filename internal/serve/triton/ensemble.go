package triton

import (
	"context"
	"fmt"
	"strconv"

	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
)

// ensemble hands tensors from model to model. It finds each when a request needs
// it, so that one can be replaced under it.
type ensemble struct {
	server *Server
	name   string
	stats  *statistics
	config *pb.ModelConfig
	steps  []*pb.ModelEnsembling_Step // in an order that works
}

func (e *ensemble) close(context.Context) error { return nil }

func (e *ensemble) run(ctx context.Context, in *inputs) ([]tensor.Tensor, timing, error) {
	tensors := make(map[string]tensor.Tensor, len(in.tensors)+len(e.steps))
	for name, t := range in.tensors {
		tensors[name] = *t
	}
	var took timing
	for _, step := range e.steps {
		spent, err := e.step(ctx, step, in, tensors)
		if err != nil {
			return nil, timing{}, err
		}
		took.add(spent)
	}
	outputs := make([]tensor.Tensor, len(e.config.Output))
	for i, o := range e.config.Output {
		outputs[i] = tensors[o.Name]
		outputs[i].Name = o.Name
	}
	in.deliver(outputs)
	e.stats.executed(in.batch(), took.infer)
	e.stats.prepared(in.batch(), took.input, took.output)
	return outputs, took, nil
}

// step runs one model on the tensors there are and adds those it makes.
func (e *ensemble) step(ctx context.Context, step *pb.ModelEnsembling_Step, in *inputs, tensors map[string]tensor.Tensor) (timing, error) {
	r := &kserve.Request{Model: step.ModelName, ID: in.request.ID, Priority: in.request.Priority, Timeout: in.request.Timeout}
	if step.ModelVersion > 0 {
		r.Version = strconv.FormatInt(step.ModelVersion, 10)
	}
	for input, name := range step.InputMap {
		t := tensors[name]
		t.Name = input
		r.Inputs = append(r.Inputs, t)
	}
	answer, took, err := e.server.infer(ctx, r, in.depth+1)
	if err != nil {
		if known, ok := err.(*dialect.Error); ok {
			inner := *known
			inner.Message = fmt.Sprintf("in ensemble '%s', %s", e.name, known.Message)
			return took, &inner
		}
		return took, fmt.Errorf("in ensemble '%s': %w", e.name, err)
	}
	for _, t := range answer.Outputs {
		if name, ok := step.OutputMap[t.Name]; ok {
			tensors[name] = t
		}
	}
	return took, nil
}

// check compares the maps of the steps with the models that are loaded.
func (e *ensemble) check() error {
	for i, step := range e.steps {
		version := ""
		if step.ModelVersion > 0 {
			version = strconv.FormatInt(step.ModelVersion, 10)
		}
		m, err := e.server.acquire(step.ModelName, version)
		if err != nil {
			return fmt.Errorf("ensemble '%s' depends on '%s' which has no loaded version: %w", e.name, step.ModelName, err)
		}
		err = checkStep(step, m.config)
		m.users.Done()
		if err != nil {
			return fmt.Errorf("ensemble '%s', step %d: %w", e.name, i, err)
		}
	}
	return nil
}

func checkStep(step *pb.ModelEnsembling_Step, c *pb.ModelConfig) error {
	inputs, outputs := map[string]bool{}, map[string]bool{}
	for _, in := range c.Input {
		inputs[in.Name] = true
		if step.InputMap[in.Name] == "" && !in.Optional {
			return fmt.Errorf("input '%s' of model '%s' is not in its input_map", in.Name, c.Name)
		}
	}
	for _, out := range c.Output {
		outputs[out.Name] = true
	}
	for name := range step.InputMap {
		if !inputs[name] {
			return fmt.Errorf("input_map has '%s', which is no input of model '%s'", name, c.Name)
		}
	}
	for name := range step.OutputMap {
		if !outputs[name] {
			return fmt.Errorf("output_map has '%s', which is no output of model '%s'", name, c.Name)
		}
	}
	return nil
}
