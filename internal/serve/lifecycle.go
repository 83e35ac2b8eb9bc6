package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Bounds on what a client may keep a connection waiting with.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 60 * time.Second // header and body together
	idleTimeout   = 2 * time.Minute  // between two requests
	headerBytes   = 64 << 10
)

// Serve answers what comes in through the listeners until ctx ends; then it
// stops accepting, finishes what it has accepted and returns nil. If that takes
// longer than Options.Drain, or until force ends, it gives the rest up and says
// so. The listeners are closed in any case.
func (s *Server) Serve(ctx, force context.Context, listeners ...net.Listener) error {
	server := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }()
	}
	var broken error
	select {
	case <-ctx.Done():
	case broken = <-failed:
	}
	s.closing.Store(true)
	s.log.Info("shutting down", "in_progress", s.gate.inside.Load(), "at_most", s.options.Drain)
	return errors.Join(broken, s.drain(force, server))
}

func (s *Server) drain(force context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(force, s.options.Drain)
	defer cancel()
	err := server.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("%d accepted requests were given up: %w", s.gate.inside.Load(), err)
		server.Close()
	}
	if h := s.model.Load(); h != nil {
		err = errors.Join(err, h.queue.Drain(ctx))
	}
	return err
}
