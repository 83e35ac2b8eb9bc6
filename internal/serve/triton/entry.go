package triton

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	pb "github.com/paceline/paceline/internal/kservepb"
	"github.com/paceline/paceline/internal/modelrepo"
	"github.com/paceline/paceline/internal/serve/dialect"
)

// entry is what the server knows of one model.
type entry struct {
	versions map[int64]*served // those that answer
	states   map[int64]state   // of every version that was ever to be served
	modified time.Time         // of its files when they were read
	loaded   bool              // is to be served, even if that failed
	lacking  bool              // an ensemble that could not be loaded: a step of it may be what is wrong
}

// state is a version's place in its life, in the reference server's words.
type state struct{ name, reason string }

const (
	stateLoading     = "LOADING"
	stateReady       = "READY"
	stateUnavailable = "UNAVAILABLE"
)

func (e *entry) latest() int64 {
	latest := int64(-1)
	for v := range e.versions {
		latest = max(latest, v)
	}
	return latest
}

// Start loads the models that the control mode names. The error tells of every
// model that could not be loaded.
func (s *Server) Start(ctx context.Context, from Source) error {
	s.source.Store(&from)
	names, err := from.Repository.List()
	if err != nil {
		return fmt.Errorf("model repository: %w", err)
	}
	s.warnOfLinks()
	if s.options.Control == ControlExplicit && !slices.Contains(s.options.Load, "*") {
		names = s.options.Load
	}
	var errs []error
	for _, name := range names {
		if s.isKnown(name) { // as part of an ensemble, whose error tells of it if it failed
			continue
		}
		if err := s.Load(ctx, name, nil); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return errors.Join(append([]error{errors.New("failed to load all models")}, errs...)...)
	}
	s.started.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed()
	return nil
}

func (s *Server) isLoaded(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.models[name]
	return e != nil && e.loaded
}

// isKnown tells whether there is, or was, a model of that name.
func (s *Server) isKnown(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.models[name] != nil
}

// LoadFor loads a model for a client, as Load does.
func (s *Server) LoadFor(ctx context.Context, repository, name string, config *pb.ModelConfig) error {
	if err := s.explicit(repository); err != nil {
		return err
	}
	return s.Load(ctx, name, config)
}

// Load loads a model, or loads it again, with the models of an ensemble that are
// not there yet. Until the new one is ready the old one answers, and it answers
// all it has accepted. config, unless nil, is used in place of the file.
func (s *Server) Load(ctx context.Context, name string, config *pb.ModelConfig) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	return s.load(ctx, name, config, 0)
}

func (s *Server) load(ctx context.Context, name string, config *pb.ModelConfig, depth int) (err error) {
	m, modified, err := s.read(name, config)
	defer func() { s.noteLacking(name, err != nil && m != nil && m.Config.GetEnsembleScheduling() != nil) }()
	if err == nil {
		err = s.loadSteps(ctx, m, depth)
	}
	if err != nil {
		s.note(name, modified, err)
		return loadError(name, err)
	}
	for _, w := range m.Warnings {
		s.log.Warn("model configuration", "model", name, "problem", w.Error())
	}
	fresh := map[int64]*served{}
	s.begin(name, modified, m.Versions)
	for _, version := range m.Versions {
		v, err := s.open(ctx, m, version)
		if err != nil {
			for _, v := range fresh {
				err = errors.Join(err, v.backend.close(ctx))
			}
			s.noteFailed(name, m.Versions, err)
			return loadError(name, err)
		}
		fresh[version] = v
	}
	old := s.replace(name, fresh)
	for version := range fresh {
		s.log.Info("model loaded", "model", name, "version", version)
	}
	s.retire(old)
	return nil
}

func (s *Server) read(name string, config *pb.ModelConfig) (m *modelrepo.Model, modified time.Time, err error) {
	repository := s.source.Load().Repository
	if config != nil {
		m, err = repository.ReadWith(name, config)
	} else {
		m, err = repository.Read(name)
	}
	if err == nil {
		modified, err = repository.Modified(name)
	} else if s.options.Control != ControlExplicit || !errors.Is(err, modelrepo.ErrNoModel) { // clients name what is no model
		modified, _ = repository.Modified(name) // a change of it is a reason to try again
	}
	return m, modified, err
}

// loadError keeps the kind of an error that has one.
func loadError(name string, err error) error {
	var known *dialect.Error
	if errors.As(err, &known) {
		return err
	}
	if errors.Is(err, modelrepo.ErrNoModel) {
		return dialect.Errorf(dialect.Internal, "", "failed to load '%s', %v", name, err)
	}
	return dialect.Errorf(dialect.Value, "", "load failed for model '%s': %v", name, err)
}

// loadSteps loads the models of an ensemble that are not there yet.
func (s *Server) loadSteps(ctx context.Context, m *modelrepo.Model, depth int) error {
	if depth > deepest {
		return fmt.Errorf("more than %d ensembles lie in each other", deepest)
	}
	for _, step := range m.Config.GetEnsembleScheduling().GetStep() {
		if s.isLoaded(step.ModelName) {
			continue
		}
		if err := s.load(ctx, step.ModelName, nil, depth+1); err != nil {
			return fmt.Errorf("ensemble '%s' depends on '%s' which has no loaded version: %w", m.Name, step.ModelName, err)
		}
	}
	return nil
}

// entry returns what is known of a model; the caller holds mu.
func (s *Server) entry(name string) *entry {
	e := s.models[name]
	if e == nil {
		e = &entry{versions: map[int64]*served{}, states: map[int64]state{}}
		s.models[name] = e
	}
	return e
}

// note keeps why a model could not even be read, if it is one of the repository.
func (s *Server) note(name string, modified time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if modified.IsZero() && s.models[name] == nil {
		return
	}
	e := s.entry(name)
	e.modified = modified
	if len(e.versions) == 0 {
		e.states[1] = state{stateUnavailable, err.Error()}
	}
}

// noteLacking tells an ensemble that is to be tried again from one that is not.
func (s *Server) noteLacking(name string, lacking bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.models[name]; e != nil {
		e.lacking = lacking
	}
}

func (s *Server) begin(name string, modified time.Time, versions []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(name)
	e.modified = modified
	for _, v := range versions {
		if e.versions[v] == nil {
			e.states[v] = state{stateLoading, ""}
		}
	}
}

// noteFailed keeps why versions could not be loaded. What was ready before stays.
func (s *Server) noteFailed(name string, versions []int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(name)
	for _, v := range versions {
		if e.versions[v] == nil {
			e.states[v] = state{stateUnavailable, err.Error()}
		}
	}
}

// replace puts new versions in the place of all old ones and returns these.
func (s *Server) replace(name string, fresh map[int64]*served) map[int64]*served {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(name)
	old := e.versions
	e.versions, e.loaded = fresh, true
	for v := range old {
		e.states[v] = state{stateUnavailable, "unloaded"}
	}
	for v := range fresh {
		e.states[v] = state{stateReady, ""}
	}
	s.changed()
	return old
}

// retire closes versions that take no more requests, after the last they have.
func (s *Server) retire(old map[int64]*served) {
	for _, m := range old {
		s.retiring.Add(1)
		go func() {
			defer s.retiring.Done()
			m.users.Wait()
			if err := m.backend.close(context.Background()); err != nil {
				s.log.Error("closing a model", "model", m.name, "version", m.version, "error", err)
			}
			s.log.Info("model unloaded", "model", m.name, "version", m.version)
		}()
	}
}

// UnloadFor takes a model out of service for a client, and with dependents the
// models of an ensemble too. What it has accepted is answered.
func (s *Server) UnloadFor(repository, name string, dependents bool) error {
	if err := s.explicit(repository); err != nil {
		return err
	}
	s.loading.Lock()
	defer s.loading.Unlock()
	names := []string{name}
	if dependents {
		if m, err := s.acquire(name, ""); err == nil {
			for _, step := range m.config.GetEnsembleScheduling().GetStep() {
				names = append(names, step.ModelName)
			}
			m.users.Done()
		}
	}
	for _, name := range names {
		s.unload(name)
	}
	return nil
}

func (s *Server) unload(name string) {
	if !s.isLoaded(name) {
		return // as the reference server: not an error
	}
	old := s.replace(name, map[int64]*served{})
	s.mu.Lock()
	s.models[name].loaded = false
	s.mu.Unlock()
	s.retire(old)
}

// explicit refuses control by clients unless the mode gives it to them.
func (s *Server) explicit(repository string) error {
	if repository != "" {
		return dialect.Errorf(dialect.Unsupported, "", "'repository_name' specification is not supported")
	}
	switch {
	case s.source.Load() == nil:
		return dialect.Errorf(dialect.Unavailable, "", "the models are still being loaded")
	case s.options.Control == ControlExplicit:
		return nil
	}
	return dialect.Errorf(dialect.Unavailable, "", "explicit model load / unload is not allowed if polling is enabled: start the server with --model-control-mode=explicit")
}

// Index lists the models of the repository and what became of them; with ready
// only those that answer.
func (s *Server) Index(repository string, ready bool) ([]*pb.RepositoryIndexResponse_ModelIndex, error) {
	if repository != "" {
		return nil, dialect.Errorf(dialect.Unsupported, "", "'repository_name' specification is not supported")
	}
	var names []string
	if from := s.source.Load(); from != nil {
		var err error
		if names, err = from.Repository.List(); err != nil {
			return nil, fmt.Errorf("model repository: %w", err)
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	names = append(slices.Clone(names), slices.Collect(maps.Keys(s.models))...) // loaded, and its folder gone
	slices.Sort(names)
	list := []*pb.RepositoryIndexResponse_ModelIndex{}
	for _, name := range slices.Compact(names) {
		e := s.models[name]
		if e == nil || len(e.states) == 0 {
			if !ready {
				list = append(list, &pb.RepositoryIndexResponse_ModelIndex{Name: name})
			}
			continue
		}
		for _, v := range slices.Sorted(maps.Keys(e.states)) {
			if state := e.states[v]; !ready || state.name == stateReady {
				list = append(list, &pb.RepositoryIndexResponse_ModelIndex{
					Name: name, Version: strconv.FormatInt(v, 10), State: state.name, Reason: state.reason})
			}
		}
	}
	return list, nil
}

// Drain refuses new requests and closes all models. Its caller has seen to it
// that no request is inside any more.
func (s *Server) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.closing.Store(true) // under mu: nobody acquires a model any more
	var old []*served
	for _, e := range s.models {
		old = slices.AppendSeq(old, maps.Values(e.versions))
		e.versions = map[int64]*served{}
	}
	s.mu.Unlock()
	var errs []error
	for _, m := range old {
		errs = append(errs, m.backend.close(ctx))
	}
	retired := make(chan struct{})
	go func() {
		s.retiring.Wait()
		close(retired)
	}()
	select {
	case <-retired:
	case <-ctx.Done():
		errs = append(errs, ctx.Err())
	}
	return errors.Join(errs...)
}
