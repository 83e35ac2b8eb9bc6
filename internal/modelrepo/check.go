package modelrepo

import (
	"fmt"
	"maps"
	"slices"

	pb "github.com/paceline/paceline/internal/kservepb"
)

// check finds what a well-formed config says that cannot be. Warnings are what
// it says that has no meaning here.
func check(c *pb.ModelConfig, name string) (warnings []string, err error) {
	switch {
	case c.Name != name:
		return nil, fmt.Errorf("unexpected directory name '%s' for model '%s', directory name must equal model name", name, c.Name)
	case c.MaxBatchSize < 0:
		return nil, fmt.Errorf("'max_batch_size' must be non-negative value for '%s'", name)
	case len(c.Input) == 0:
		return nil, fmt.Errorf("must specify 'input' for '%s'", name)
	case len(c.Output) == 0:
		return nil, fmt.Errorf("must specify 'output' for '%s'", name)
	case c.GetModelTransactionPolicy().GetDecoupled():
		return nil, fmt.Errorf("model_transaction_policy { decoupled: true } is not supported: an embedding is one answer")
	case c.GetSequenceBatching() != nil:
		return nil, fmt.Errorf("sequence_batching is not supported: texts have no state; use dynamic_batching")
	}
	if err := checkTensors(c); err != nil {
		return nil, err
	}
	if b := c.GetDynamicBatching(); b != nil {
		if err := checkBatching(b, c); err != nil {
			return nil, err
		}
	}
	if e := c.GetEnsembleScheduling(); e != nil || c.Platform == "ensemble" {
		if err := checkEnsemble(e, c); err != nil {
			return nil, err
		}
	}
	for _, g := range c.InstanceGroup {
		if g.Count < 0 {
			return nil, fmt.Errorf("instance group count must not be negative for '%s'", name)
		}
	}
	return unused(c), checkWarmup(c)
}

func checkTensors(c *pb.ModelConfig) error {
	seen := map[string]bool{}
	one := func(kind, name string, datatype pb.DataType, dims []int64) error {
		switch {
		case name == "":
			return fmt.Errorf("model %s must specify 'name' for '%s'", kind, c.Name)
		case seen[kind+name]:
			return fmt.Errorf("model %s '%s' is there twice", kind, name)
		case datatype == pb.DataType_TYPE_INVALID:
			return fmt.Errorf("model %s must specify 'data_type' for '%s' of '%s'", kind, name, c.Name)
		case len(dims) == 0:
			return fmt.Errorf("model %s must specify 'dims' for '%s' of '%s'", kind, name, c.Name)
		case slices.ContainsFunc(dims, func(d int64) bool { return d < 1 && d != -1 }):
			return fmt.Errorf("model %s '%s' dimension must be integer >= 1, or -1 to indicate a variable-size dimension", kind, name)
		}
		seen[kind+name] = true
		return nil
	}
	for _, in := range c.Input {
		if err := one("input", in.Name, in.DataType, in.Dims); err != nil {
			return err
		}
	}
	for _, out := range c.Output {
		if err := one("output", out.Name, out.DataType, out.Dims); err != nil {
			return err
		}
	}
	return nil
}

func checkBatching(b *pb.ModelDynamicBatching, c *pb.ModelConfig) error {
	if c.MaxBatchSize == 0 {
		return fmt.Errorf("dynamic batching needs a max_batch_size of at least 1 for '%s'", c.Name)
	}
	for _, size := range b.PreferredBatchSize {
		switch {
		case size <= 0:
			return fmt.Errorf("dynamic batching preferred size must be positive for '%s'", c.Name)
		case size > c.MaxBatchSize:
			return fmt.Errorf("dynamic batching preferred size %d must be <= max batch size %d for '%s'", size, c.MaxBatchSize, c.Name)
		}
	}
	switch levels := b.PriorityLevels; {
	case levels == 0 && len(b.PriorityQueuePolicy) > 0:
		return fmt.Errorf("priority_queue_policy needs priority_levels for '%s'", c.Name)
	case levels > 0 && (b.DefaultPriorityLevel == 0 || b.DefaultPriorityLevel > levels):
		return fmt.Errorf("default priority level must be in range [1, %d] for '%s'", levels, c.Name)
	}
	for level := range b.PriorityQueuePolicy {
		if level == 0 || level > b.PriorityLevels {
			return fmt.Errorf("priority queue policy must have priority level in range [1, %d] for '%s', got %d", b.PriorityLevels, c.Name, level)
		}
	}
	if b.PreserveOrdering {
		return checkOrdering(b, c)
	}
	return nil
}

// checkOrdering refuses what would overtake where the order is to be kept.
func checkOrdering(b *pb.ModelDynamicBatching, c *pb.ModelConfig) error {
	if b.PriorityLevels > 1 {
		return fmt.Errorf("ordering can not be preserved with more than one priority level for '%s'", c.Name)
	}
	policies := append(slices.Collect(maps.Values(b.PriorityQueuePolicy)), b.DefaultQueuePolicy)
	for _, q := range policies {
		if q.GetDefaultTimeoutMicroseconds() != 0 && q.GetTimeoutAction() == pb.ModelQueuePolicy_DELAY {
			return fmt.Errorf("ordering can not be preserved with the timeout action DELAY, which puts requests behind later ones, for '%s'", c.Name)
		}
	}
	return nil
}

func checkWarmup(c *pb.ModelConfig) error {
	for _, w := range c.ModelWarmup {
		if int64(w.BatchSize) > int64(max(c.MaxBatchSize, 1)) {
			return fmt.Errorf("model_warmup '%s' has batch_size %d, more than max_batch_size %d", w.Name, w.BatchSize, c.MaxBatchSize)
		}
		for name, in := range w.Inputs {
			if !slices.ContainsFunc(c.Input, func(i *pb.ModelInput) bool { return i.Name == name }) {
				return fmt.Errorf("model_warmup '%s' has an input '%s' that '%s' has not", w.Name, name, c.Name)
			}
			if in.GetInputDataFile() != "" {
				return fmt.Errorf("model_warmup '%s': input_data_file is not supported; use random_data or zero_data", w.Name)
			}
		}
	}
	return nil
}

// unused names the settings that are read and change nothing.
func unused(c *pb.ModelConfig) []string {
	var list []string
	note := func(there bool, field, why string) {
		if there {
			list = append(list, fmt.Sprintf("%s has no effect here: %s", field, why))
		}
	}
	note(c.Optimization != nil, "optimization", "the engine chooses its kernels by the processor")
	note(c.ResponseCache.GetEnable(), "response_cache", "there is no cache of answers")
	note(len(c.ModelOperations.GetOpLibraryFilename()) > 0, "model_operations", "no libraries are loaded")
	note(len(c.ModelRepositoryAgents.GetAgents()) > 0, "model_repository_agents", "there are no agents")
	note(len(c.BatchInput)+len(c.BatchOutput) > 0, "batch_input and batch_output", "rows of a batch need no padding")
	return list
}

// setDefaults fills in what the reference server reports of a config that leaves
// it open.
func setDefaults(c *pb.ModelConfig) {
	if c.VersionPolicy == nil {
		c.VersionPolicy = &pb.ModelVersionPolicy{PolicyChoice: &pb.ModelVersionPolicy_Latest_{Latest: &pb.ModelVersionPolicy_Latest{NumVersions: 1}}}
	}
	if c.GetEnsembleScheduling() != nil {
		c.Platform = "ensemble"
		if c.ModelTransactionPolicy == nil {
			c.ModelTransactionPolicy = &pb.ModelTransactionPolicy{}
		}
		return
	}
	if len(c.InstanceGroup) == 0 {
		c.InstanceGroup = []*pb.ModelInstanceGroup{{Count: 1, Kind: pb.ModelInstanceGroup_KIND_CPU}}
	}
	for i, g := range c.InstanceGroup {
		if g.Name == "" {
			g.Name = fmt.Sprintf("%s_%d", c.Name, i)
		}
		g.Count = max(g.Count, 1)
	}
}
