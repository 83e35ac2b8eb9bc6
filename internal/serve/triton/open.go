package triton

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/paceline/paceline/internal/batch"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/modelrepo"
)

// open makes one version ready to answer, warmed up.
func (s *Server) open(ctx context.Context, m *modelrepo.Model, version int64) (*served, error) {
	v := &served{name: m.Name, version: version, config: m.Config}
	if steps := m.Config.GetEnsembleScheduling(); steps != nil {
		order, err := modelrepo.Order(steps)
		if err != nil {
			return nil, err
		}
		e := &ensemble{server: s, name: m.Name, stats: &v.stats, config: m.Config, steps: order}
		v.backend = e
		return v, e.check()
	}
	name, err := s.sourceOf(m, version)
	if err != nil {
		return nil, err
	}
	roles, err := rolesOf(m.Config)
	if err != nil {
		return nil, err
	}
	if err := s.checkInstances(m.Config); err != nil {
		return nil, err
	}
	opened, err := s.source.Load().Open(ctx, name)
	if err != nil {
		return nil, err
	}
	if roles.vectors == nil {
		for _, field := range unusedByTokenizer(m.Config) {
			s.log.Warn("model configuration", "model", m.Name, "problem", field+" has no effect on a tokenizer: it works on the goroutine of each request, as many at once as there are requests")
		}
		v.backend = &tokenizer{roles: roles, opened: opened, stats: &v.stats, config: m.Config}
		return v, nil
	}
	if err := roles.checkDim(opened.Pipeline.Dim()); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	options := s.options.Queue
	options.Observe = func(b batch.BatchReport) { v.stats.executed(b.Texts, b.Inference) }
	v.backend = &encoder{roles: roles, opened: opened, stats: &v.stats, config: m.Config, queue: batch.New(opened.Runner, policy(m.Config), options)}
	if err := v.warmup(ctx, opened); err != nil {
		return nil, errors.Join(err, v.backend.close(ctx))
	}
	return v, nil
}

// modelParameter is the parameter that names what runs behind a config.
const modelParameter = "model"

// sourceOf is the name or folder of the model behind a config.
func (s *Server) sourceOf(m *modelrepo.Model, version int64) (string, error) {
	named := m.Config.Parameters[modelParameter].GetStringValue()
	root := s.source.Load().Root
	here := filepath.Join(root, filepath.FromSlash(m.VersionDir(version)))
	switch backend := m.Config.Backend; {
	case named != "":
		for _, folder := range []string{here, filepath.Join(root, m.Name)} {
			if info, err := os.Stat(filepath.Join(folder, named)); root != "" && err == nil && info.IsDir() {
				return filepath.Join(folder, named), nil
			}
		}
		return named, nil
	case backend == "python":
		return "", fmt.Errorf(`backend "python": its model.py cannot run here. Name the model that it loads in config.pbtxt: parameters { key: "model" value { string_value: "all-MiniLM-L6-v2" } }; "paceline models repository --from all-MiniLM-L6-v2 DIR" writes a repository that does`)
	case backend != "paceline":
		return "", fmt.Errorf(`backend %q (platform %q) is not known here: set backend: "paceline" and name the model, as parameters { key: "model" value { string_value: "all-MiniLM-L6-v2" } }, or put it in Hugging Face layout into %s`,
			backend, m.Config.Platform, m.VersionDir(version))
	}
	if _, err := os.Stat(filepath.Join(here, "config.json")); err != nil || root == "" {
		return "", fmt.Errorf(`there is no model in Hugging Face layout in %s (no config.json), and no parameters { key: "model" } names one`, m.VersionDir(version))
	}
	return here, nil
}

// checkInstances says what becomes of a kind that this server cannot give.
func (s *Server) checkInstances(c *pb.ModelConfig) error {
	for _, g := range c.InstanceGroup {
		if g.Kind != pb.ModelInstanceGroup_KIND_GPU {
			continue
		}
		if s.options.Strict {
			return fmt.Errorf("instance_group '%s' is KIND_GPU, but the engine runs on the CPU: leave --strict out to run it there, or set KIND_CPU", g.Name)
		}
		s.log.Warn("instance group runs on the CPU", "model", c.Name, "group", g.Name, "kind", g.Kind.String())
	}
	return nil
}

// unusedByTokenizer names the settings of batches, which a tokenizer has none of.
func unusedByTokenizer(c *pb.ModelConfig) (fields []string) {
	if c.GetDynamicBatching() != nil {
		fields = append(fields, "dynamic_batching")
	}
	instances := int32(0)
	for _, g := range c.InstanceGroup {
		instances += g.Count
	}
	if instances > 1 {
		fields = append(fields, fmt.Sprintf("instance_group (%d instances)", instances))
	}
	if len(c.ModelWarmup) > 0 {
		fields = append(fields, "model_warmup")
	}
	return fields
}

// policy is the batching that a config asks for.
func policy(c *pb.ModelConfig) batch.Policy {
	instances := 0
	for _, g := range c.InstanceGroup {
		instances += int(g.Count)
	}
	d := c.GetDynamicBatching()
	if d == nil {
		return batch.Direct{Texts: int(max(c.MaxBatchSize, 1)), Concurrent: instances, Queue: batch.Triton().Queue}
	}
	p := batch.Preferred{MaxTexts: int(c.MaxBatchSize), Instances: instances, Queue: batch.Triton().Queue}
	for _, size := range d.PreferredBatchSize {
		p.Sizes = append(p.Sizes, int(size))
	}
	p.Delay = microseconds(d.MaxQueueDelayMicroseconds)
	p.Ordered, p.Levels, p.Default = d.PreserveOrdering, d.PriorityLevels, d.DefaultPriorityLevel
	p.Policy = queuePolicy(d.DefaultQueuePolicy)
	p.Policies = make(map[uint64]batch.QueuePolicy, len(d.PriorityQueuePolicy))
	for level, q := range d.PriorityQueuePolicy {
		p.Policies[level] = queuePolicy(q)
	}
	return p
}

func queuePolicy(q *pb.ModelQueuePolicy) batch.QueuePolicy {
	return batch.QueuePolicy{
		Delay: q.GetTimeoutAction() == pb.ModelQueuePolicy_DELAY, Timeout: microseconds(q.GetDefaultTimeoutMicroseconds()),
		Override: q.GetAllowTimeoutOverride(), Size: int(q.GetMaxQueueSize()),
	}
}

// microseconds is a duration of a config; one beyond an hour is an hour.
func microseconds(n uint64) time.Duration {
	return time.Duration(min(n, uint64(time.Hour/time.Microsecond))) * time.Microsecond
}
