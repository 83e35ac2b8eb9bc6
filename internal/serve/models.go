package serve

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paceline/paceline/internal/batch"
	"github.com/paceline/paceline/internal/resident"
	"github.com/paceline/paceline/internal/serve/dialect"
)

// Source is a model that the server opens when it is needed.
type Source struct {
	Name       string   // under which it is served
	Aliases    []string // by which requests may also ask for it
	Repository string
	Memory     int64 // bytes that it will take; 0 when that is not known before it is opened
	// Open opens the model. ctx ends with the server.
	Open func(ctx context.Context) (Model, error)
}

// offered is one model of the server, in memory or not.
type offered struct {
	Source
	// What was learnt when it was last opened is kept.
	about  atomic.Pointer[dialect.Info]
	memory atomic.Int64

	mu   sync.Mutex
	past batch.Stats // of its queues that are closed
}

// offer is all models that the server has; the first answers requests that name
// none.
type offer struct {
	list []*offered
	open *resident.Set[string, *hosted] // by Source.Name
}

// Load gives the server its only model, open already. From then on it is ready.
// The error is a default prompt that the model does not have.
func (s *Server) Load(m Model) error {
	return s.Offer(context.Background(), false, Source{
		Name: m.Name, Aliases: m.Aliases, Repository: m.Repository, Memory: m.Memory,
		Open: func(context.Context) (Model, error) { return m, nil },
	})
}

// Offer gives the server its models. From then on it is ready: at once if lazy,
// else after each was opened. Where Options.ModelMemory does not hold them all,
// those used least recently are closed, and opened again when they are asked for.
func (s *Server) Offer(ctx context.Context, lazy bool, sources ...Source) error {
	o := &offer{}
	for _, source := range sources {
		for _, other := range o.list {
			if other.Name == source.Name {
				return fmt.Errorf("two models are served as %q", source.Name)
			}
		}
		one := &offered{Source: source}
		info := s.info(source.Name, source.Repository)
		one.about.Store(&info)
		one.memory.Store(source.Memory)
		o.list = append(o.list, one)
	}
	o.open = resident.New[string, *hosted](resident.Options{Limit: s.options.ModelMemory, Idle: true, Closed: s.modelClosed})
	if !lazy {
		if err := s.openAll(ctx, o); err != nil {
			return errors.Join(err, o.open.Close(ctx))
		}
	}
	s.models.Store(o)
	return nil
}

// openAll opens each model once, so that what is wrong with one shows at the
// start. The first is the last: where there is no room for all, it stays.
func (s *Server) openAll(ctx context.Context, o *offer) error {
	for i := len(o.list) - 1; i >= 0; i-- {
		_, release, err := s.acquire(ctx, o, o.list[i])
		if err != nil {
			return err
		}
		release()
	}
	return nil
}

// acquire opens a model if need be and keeps it in memory until release.
func (s *Server) acquire(ctx context.Context, o *offer, one *offered) (h *hosted, release func(), err error) {
	return o.open.Get(ctx, one.Name, resident.Opening[*hosted]{Bytes: one.memory.Load(), Open: func(ctx context.Context) (*hosted, error) {
		m, err := one.Open(ctx)
		if err != nil {
			return nil, err
		}
		h, err := s.host(m, one.remember)
		if err != nil {
			if m.Close != nil {
				err = errors.Join(err, m.Close())
			}
			return nil, err
		}
		if err := s.calibrate(ctx, h); err != nil {
			return nil, errors.Join(err, h.Close())
		}
		h.info.Created = one.about.Load().Created
		one.about.Store(&h.info)
		one.memory.Store(m.Memory)
		if len(o.list) > 1 {
			s.log.Info("model opened", "model", one.Name, "bytes", m.Memory)
		}
		return h, nil
	}})
}

func (s *Server) modelClosed(name any, err error) {
	switch {
	case err != nil:
		s.log.Error("closing a model", "model", name, "error", err)
	case !s.closing.Load():
		s.log.Info("model closed", "model", name)
	}
}

// remember adds the counts of a queue that is closed.
func (o *offered) remember(s batch.Stats) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.past = o.past.Plus(s)
}

// find is the model that a request means by that name, if any. A model's own name
// goes before what others may also be called.
func (o *offer) find(name string) *offered {
	if name == "" {
		return o.list[0]
	}
	for _, one := range o.list {
		if one.Name == name {
			return one
		}
	}
	for _, one := range o.list {
		if name == one.Repository || name == path.Base(one.Repository) || slices.Contains(one.Aliases, name) {
			return one
		}
	}
	return nil
}

// infoOf is what is known of the model that a request means; of the first where
// it means none.
func (o *offer) infoOf(name string) *dialect.Info {
	if one := o.find(name); one != nil {
		return one.about.Load()
	}
	return o.list[0].about.Load()
}

// names are what the models are served as, for an error.
func (o *offer) names() string {
	list := make([]string, len(o.list))
	for i, one := range o.list {
		list[i] = fmt.Sprintf("%q", one.Name)
	}
	return strings.Join(list, ", ")
}

// stats are the counts of all models' queues.
func (o *offer) stats() batch.Stats {
	var sum batch.Stats
	for _, one := range o.list {
		one.mu.Lock()
		sum = sum.Plus(one.past)
		one.mu.Unlock()
	}
	for _, m := range o.open.Open() {
		sum = sum.Plus(m.Value.queue.Stats())
	}
	return sum
}

// served lists the models for those who ask.
func (o *offer) served() []dialect.Served {
	open := map[string]bool{}
	for _, m := range o.open.Open() {
		open[m.Key] = true
	}
	list := make([]dialect.Served, len(o.list))
	for i, one := range o.list {
		list[i] = dialect.Served{Info: one.about.Load(), Open: open[one.Name]}
	}
	return list
}

// drain finishes what is queued and closes all models.
func (o *offer) drain(ctx context.Context) error {
	var errs []error
	for _, m := range o.open.Open() {
		errs = append(errs, m.Value.queue.Drain(ctx))
	}
	return errors.Join(append(errs, o.open.Close(ctx))...)
}

// modelMetrics are what GET /metrics tells of memory.
func (s *Server) modelMetrics() []prometheus.Collector {
	gauge := func(name, help string, value func(o *offer) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if o := s.models.Load(); o != nil {
				return value(o)
			}
			return 0
		})
	}
	return []prometheus.Collector{
		gauge("paceline_models_loaded", "Models in memory.", func(o *offer) float64 { return float64(len(o.open.Open())) }),
		gauge("paceline_models_memory_bytes", "Memory that they take.", func(o *offer) float64 { return float64(o.open.Bytes()) }),
	}
}
