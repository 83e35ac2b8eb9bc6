package triton

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/kserve/tensor"
	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/kserve"
)

// served is one version of a model that answers requests.
type served struct {
	name    string
	version int64
	config  *pb.ModelConfig
	backend backend
	stats   statistics
	users   sync.WaitGroup // requests inside, and what keeps it from being closed
}

// backend computes the outputs of checked inputs.
type backend interface {
	// run returns the model's outputs in the order of its config.
	run(ctx context.Context, in *inputs) ([]tensor.Tensor, timing, error)
	// close waits for what is queued and gives memory back.
	close(ctx context.Context) error
}

// timing says where an inference's time went.
type timing struct{ queue, input, infer, output time.Duration }

func (t *timing) add(o timing) {
	t.queue += o.queue
	t.input += o.input
	t.infer += o.infer
	t.output += o.output
}

// pending counts the requests that no backend has begun with. An ensemble is none:
// its own wait until they have been through it.
func (m *served) pending() int {
	switch b := m.backend.(type) {
	case *encoder:
		return b.queue.Stats().Waiting
	case *tokenizer:
		return 0 // it begins at once
	}
	return int(m.stats.inside.Load())
}

// Infer answers one request.
func (s *Server) Infer(ctx context.Context, r *kserve.Request) (*kserve.Response, error) {
	answer, _, err := s.infer(ctx, r, 0)
	return answer, err
}

// deepest is how many ensembles may lie in each other.
const deepest = 8

func (s *Server) infer(ctx context.Context, r *kserve.Request, depth int) (*kserve.Response, timing, error) {
	if depth > deepest {
		return nil, timing{}, dialect.Errorf(dialect.Value, "", "more than %d ensembles lie in each other: does '%s' contain itself?", deepest, r.Model)
	}
	m, err := s.acquire(r.Model, r.Version)
	if err != nil {
		return nil, timing{}, err
	}
	defer m.users.Done()
	in, err := m.normalize(r)
	if err != nil {
		return nil, timing{}, err
	}
	in.depth = depth
	if err := ctx.Err(); err != nil {
		m.stats.failed(failCanceled, 0)
		return nil, timing{}, err
	}
	began := time.Now()
	m.stats.inside.Add(1)
	outputs, t, err := m.backend.run(ctx, in)
	m.stats.inside.Add(-1)
	if err != nil {
		m.stats.failed(failureOf(err), time.Since(began))
		return nil, timing{}, err
	}
	m.stats.succeeded(in.batch(), time.Since(began), t)
	answer := &kserve.Response{Model: m.name, Version: strconv.FormatInt(m.version, 10), ID: r.ID}
	for i := range outputs {
		if r.Wants(outputs[i].Name) {
			answer.Outputs = append(answer.Outputs, outputs[i])
		}
	}
	return answer, t, nil
}

// versionOf reads a version's number; -1 is the latest.
func versionOf(version string) (int64, error) {
	if version == "" {
		return -1, nil
	}
	number, err := strconv.ParseInt(version, 10, 64)
	if err != nil {
		return 0, dialect.Errorf(dialect.Value, "", "failed to get model version from specified version string '%s', version should be an integral value > 0", version)
	}
	return number, nil
}

// acquire finds a version that is ready and keeps it until users.Done.
func (s *Server) acquire(name, version string) (*served, error) {
	number, err := versionOf(version)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closing.Load() {
		return nil, dialect.Errorf(dialect.Unavailable, "", "Server is stopping, scheduler for model has stopped accepting new inference requests")
	}
	e := s.models[name]
	if e == nil {
		return nil, dialect.Errorf(dialect.NoModel, "", "Request for unknown model: '%s' is not found", name)
	}
	if number == -1 {
		number = e.latest()
	}
	switch m := e.versions[number]; {
	case m != nil:
		m.users.Add(1)
		return m, nil
	case number == -1:
		return nil, dialect.Errorf(dialect.NoModel, "", "Request for unknown model: '%s' has no available versions", name)
	case e.states[number].name != "":
		return nil, dialect.Errorf(dialect.Unavailable, "", "Request for unknown model: '%s' version %d is not at ready state", name, number)
	}
	return nil, dialect.Errorf(dialect.NoModel, "", "Request for unknown model: '%s' version %d is not found", name, number)
}
