package triton

import (
	"context"
	"slices"
	"time"
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
	names, err := s.source.Load().Repository.List()
	if err != nil {
		s.log.Error("model repository", "error", err)
		return
	}
	s.warnOfLinks()
	if s.loadWhere(ctx, names, s.hasChanged) {
		// What is new may be what an ensemble lacked, whose own files are as they were.
		s.loadWhere(ctx, names, s.isLacking)
	}
	s.unloadOthers(names)
}

// warnOfLinks names, once, the links in the place of models that lead nowhere.
func (s *Server) warnOfLinks() {
	links, err := s.source.Load().Repository.Broken()
	if err != nil {
		s.log.Error("model repository", "error", err)
		return
	}
	for _, link := range links {
		if !slices.Contains(s.broken, link) {
			s.log.Warn("model repository", "link", link, "problem", "this link leads nowhere")
		}
	}
	s.broken = links
}

// loadWhere loads the models that are so, and tells whether that succeeded for one.
func (s *Server) loadWhere(ctx context.Context, names []string, so func(name string) bool) (loaded bool) {
	for _, name := range names {
		if !so(name) {
			continue
		}
		if err := s.Load(ctx, name, nil); err != nil {
			s.log.Error("model not loaded", "model", name, "error", err)
			continue
		}
		loaded = true
	}
	return loaded
}

// unloadOthers unloads the models that the repository has no more.
func (s *Server) unloadOthers(names []string) {
	s.loading.Lock()
	defer s.loading.Unlock()
	for _, m := range s.all() {
		if !slices.Contains(names, m.name) {
			s.unload(m.name)
		}
	}
}

// hasChanged tells whether a model's files are others than those that were read.
// A model that is gone again has not.
func (s *Server) hasChanged(name string) bool {
	modified, err := s.source.Load().Repository.Modified(name)
	return err == nil && !modified.Equal(s.modified(name))
}

func (s *Server) isLacking(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.models[name]
	return e != nil && e.lacking
}

func (s *Server) modified(name string) time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.models[name]; e != nil {
		return e.modified
	}
	return time.Time{}
}
