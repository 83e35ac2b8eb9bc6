package triton

import (
	"context"
	"errors"
	"time"

	"github.com/paceline/paceline/internal/modelrepo"
)

// Watch looks at the repository every Options.Poll until ctx ends, and loads
// what is new or changed and unloads what is gone. It does nothing in the other
// control modes. Start comes before it.
func (s *Server) Watch(ctx context.Context) {
	if s.options.Control != ControlPoll {
		return
	}
	tick := time.NewTicker(s.options.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.look(ctx)
		}
	}
}

// look does it once.
func (s *Server) look(ctx context.Context) {
	repository := s.source.Load().Repository
	names, err := repository.List()
	if err != nil {
		s.log.Error("model repository", "error", err)
		return
	}
	present := map[string]bool{}
	for _, name := range names {
		present[name] = true
		modified, err := repository.Modified(name)
		if err != nil || modified.Equal(s.modified(name)) {
			continue // gone again, or as it was
		}
		if err := s.Load(ctx, name, nil); err != nil && !errors.Is(err, modelrepo.ErrNoModel) {
			s.log.Error("model not loaded", "model", name, "error", err)
		}
	}
	s.loading.Lock()
	defer s.loading.Unlock()
	for _, m := range s.all() {
		if !present[m.name] {
			s.unload(m.name)
		}
	}
}

func (s *Server) modified(name string) time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.models[name]; e != nil {
		return e.modified
	}
	return time.Time{}
}
