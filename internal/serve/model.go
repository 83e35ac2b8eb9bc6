package serve

import (
	"path"
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
}

// hosted is a model with the queue before it.
type hosted struct {
	Model
	queue  *batch.Queue
	info   dialect.Info
	prompt string // for inputs whose request names none; "" for the model's own default
}

func (s *Server) host(m Model) *hosted {
	h := &hosted{Model: m, prompt: s.options.Prompt}
	options := s.options.Queue
	options.Observe = s.metrics.observeBatch
	h.queue = batch.New(m.Runner, s.profile.Policy, options)
	h.info = dialect.Info{
		Version: s.options.Version, Profile: s.profile.Name,
		Model: m.Name, ModelID: m.Repository, Revision: m.Revision,
		DType: m.DType, CPULevel: m.CPULevel, Device: m.Device, Threads: m.Threads,
		Pooling: m.Pipeline.PoolingName(), Dim: m.Pipeline.Dim(), MaxTokens: m.Pipeline.MaxTokens(),
		ClientBatch: s.profile.Limits.Inputs, ConcurrentLimit: s.profile.Limits.Concurrent,
		BodyLimit: s.profile.Limits.Body, TruncatesDefault: s.profile.Limits.Truncate,
		Created: time.Now().Unix(),
	}
	describePolicy(&h.info, s.profile.Policy)
	return h
}

// answersTo tells whether a request for that name means this model.
func (h *hosted) answersTo(name string) bool {
	return name == "" || name == h.Name || name == h.Repository || name == path.Base(h.Repository) || slices.Contains(h.Aliases, name)
}

func (h *hosted) stats() dialect.Stats {
	q := h.queue.Stats()
	return dialect.Stats{
		Batches: q.Batches, Texts: q.Texts, AverageBatch: q.AverageBatch(), Waiting: q.Waiting,
	}
}
