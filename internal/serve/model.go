package serve

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/serve/dialect"
)

// Model is what the server needs of a model.
type Model struct {
	Name       string   // under which it is served
	Aliases    []string // by which requests may also ask for it
	Repository string
	Revision   string
	DType      string
	CPULevel   string
	Device     string
	Threads    int
	Width      int // values in a vector of the engine, before the pipeline cuts it
	Hidden     int // values in a token's vector
	Pipeline   *pipeline.Pipeline
	Runner     batch.Runner
	Memory     int64        // bytes that it takes
	Close      func() error // gives them back, after the last request; nil for nothing to do
}

// hosted is a model with the queue before it: a resident.Value.
type hosted struct {
	Model
	queue  *batch.Queue
	info   dialect.Info
	prompt string // for inputs whose request names none; "" for the model's own default
	closed func(batch.Stats)

	calibration *calibration // nil without one
}

// host puts a queue before a model. The error is a default prompt that the model
// does not have.
func (s *Server) host(m Model, closed func(batch.Stats)) (*hosted, error) {
	prompt, err := s.defaultPrompt(m)
	if err != nil {
		return nil, err
	}
	h := &hosted{Model: m, prompt: prompt, closed: closed}
	options := s.options.Queue
	options.Observe = s.metrics.observeBatch
	h.queue = batch.New(m.Runner, s.profile.Policy, options)
	h.info = s.info(m.Name, m.Repository)
	h.info.Revision, h.info.DType, h.info.CPULevel, h.info.Device, h.info.Threads = m.Revision, m.DType, m.CPULevel, m.Device, m.Threads
	h.info.Head, h.info.Labels = headOf(m.Pipeline), m.Pipeline.Labels()
	h.info.Prompts = slices.Sorted(maps.Keys(m.Pipeline.Prompts()))
	h.info.Pooling, h.info.Dim, h.info.MaxTokens = m.Pipeline.PoolingName(), m.Pipeline.Dim(), m.Pipeline.MaxTokens()
	return h, nil
}

func headOf(p *pipeline.Pipeline) dialect.Head {
	switch labels := len(p.Labels()); {
	case labels == 1:
		return dialect.Reranker
	case labels > 1:
		return dialect.Classifier
	case p.Sparse():
		return dialect.Splade
	default:
		return dialect.Embedding
	}
}

func (s *Server) defaultPrompt(m Model) (string, error) {
	name := s.options.PromptName
	if name == "" {
		return s.options.Prompt, nil
	}
	prompt, ok := m.Pipeline.Prompts()[name]
	if !ok {
		return "", fmt.Errorf("default prompt %q: the model %s has no prompt of that name (it has %q)",
			name, m.Name, slices.Sorted(maps.Keys(m.Pipeline.Prompts())))
	}
	return prompt, nil
}

// info is what is known of a model before it is opened.
func (s *Server) info(name, repository string) dialect.Info {
	i := dialect.Info{
		Version: s.options.Version, Profile: s.profile.Name, Model: name, ModelID: repository,
		ClientBatch: s.profile.Limits.Inputs, ConcurrentLimit: s.profile.Limits.Concurrent,
		BodyLimit: s.profile.Limits.Body, TruncatesDefault: s.profile.Limits.Truncate, LongText: string(s.profile.Limits.LongText),
		Created: time.Now().Unix(),
	}
	describePolicy(&i, s.profile.Policy)
	return i
}

// Bytes is the model's memory.
func (h *hosted) Bytes() int64 { return h.Memory }

// Close finishes what is queued and gives the model's memory back.
func (h *hosted) Close() error {
	err := h.queue.Drain(context.Background())
	h.closed(h.queue.Stats())
	if h.Model.Close == nil {
		return err
	}
	return h.Model.Close()
}
