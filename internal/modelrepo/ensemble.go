package modelrepo

import (
	"fmt"
	"maps"
	"slices"

	pb "github.com/paceline/paceline/internal/kservepb"
)

// checkEnsemble holds that every tensor of an ensemble comes from somewhere and
// goes somewhere, and comes from one place only.
func checkEnsemble(e *pb.ModelEnsembling, c *pb.ModelConfig) error {
	switch {
	case c.Platform != "ensemble":
		return fmt.Errorf("ensemble scheduling cannot be set for model '%s' whose platform is not ensemble", c.Name)
	case len(e.GetStep()) == 0:
		return fmt.Errorf("must specify 'step' in ensemble_scheduling for ensemble '%s'", c.Name)
	case len(c.InstanceGroup) > 0:
		return fmt.Errorf("instance group should not be specified for ensemble '%s'", c.Name)
	}
	made := map[string]bool{}
	for _, in := range c.Input {
		made[in.Name] = true
	}
	for i, s := range e.Step {
		switch {
		case s.ModelName == "":
			return fmt.Errorf("must specify 'model_name' in step %d of ensemble '%s'", i, c.Name)
		case s.ModelName == c.Name:
			return fmt.Errorf("step %d of ensemble '%s' is the ensemble itself", i, c.Name)
		case len(s.InputMap) == 0:
			return fmt.Errorf("must specify 'input_map' in step %d of ensemble '%s'", i, c.Name)
		case len(s.OutputMap) == 0:
			return fmt.Errorf("must specify 'output_map' in step %d of ensemble '%s'", i, c.Name)
		}
		for _, t := range s.OutputMap {
			if made[t] {
				return fmt.Errorf("ensemble tensor '%s' of '%s' comes from more than one place", t, c.Name)
			}
			made[t] = true
		}
	}
	for i, s := range e.Step {
		for _, t := range slices.Sorted(maps.Values(s.InputMap)) {
			if !made[t] {
				return fmt.Errorf("ensemble tensor '%s' that step %d of '%s' reads comes from nowhere: it must be an input of the ensemble or in the output_map of a step", t, i, c.Name)
			}
		}
	}
	for _, out := range c.Output {
		if !made[out.Name] {
			return fmt.Errorf("output '%s' of ensemble '%s' comes from nowhere: no step has it in its output_map", out.Name, c.Name)
		}
	}
	if _, err := Order(e); err != nil {
		return fmt.Errorf("ensemble '%s': %w", c.Name, err)
	}
	return nil
}

// Order sorts the steps of an ensemble so that each comes after those whose
// outputs it reads. Steps that wait for each other are an error.
func Order(e *pb.ModelEnsembling) ([]*pb.ModelEnsembling_Step, error) {
	from := map[string]int{} // tensor to the step that makes it
	for i, s := range e.Step {
		for _, t := range s.OutputMap {
			from[t] = i
		}
	}
	placed := make([]bool, len(e.Step))
	var order []*pb.ModelEnsembling_Step
	for len(order) < len(e.Step) {
		before := len(order)
		for i, s := range e.Step {
			ready := !placed[i]
			for _, t := range s.InputMap {
				if j, made := from[t]; made && !placed[j] {
					ready = false
				}
			}
			if ready {
				placed[i] = true
				order = append(order, s)
			}
		}
		if len(order) == before {
			return nil, fmt.Errorf("some of its %d steps wait for each other", len(e.Step)-before)
		}
	}
	return order, nil
}
