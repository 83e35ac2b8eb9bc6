package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds on what a client may keep a connection waiting with.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 60 * time.Second // header and body together
	idleTimeout   = 2 * time.Minute  // between two requests
	headerBytes   = 64 << 10
)

// Door is one port of the server.
type Door struct {
	Listener net.Listener
	Watch    bool // only what watches the server: /metrics and the health routes
	Answers  door // what answers here in place of HTTP; nil for HTTP
}

// door is what answers at a port; an http.Server is one.
type door interface {
	Serve(net.Listener) error
	// Shutdown takes no more requests and waits for those there are.
	Shutdown(context.Context) error
	Close() error
}

// Serve answers what comes in through the doors until ctx ends; then it stops
// accepting, finishes what it has accepted and returns nil. If that takes longer
// than Options.Drain, or until force ends, it gives the rest up and says so. The
// listeners are closed in any case.
func (s *Server) Serve(ctx, force context.Context, doors ...Door) error {
	var using, watching []door
	failed := make(chan error, len(doors))
	for _, d := range doors {
		server := d.Answers
		if server == nil {
			server = s.overHTTP(d.Watch)
		}
		if d.Watch {
			watching = append(watching, server)
		} else {
			using = append(using, server)
		}
		go func() { failed <- server.Serve(d.Listener) }()
	}
	var broken error
	select {
	case <-ctx.Done():
	case broken = <-failed:
	}
	s.closing.Store(true)
	if s.models.Load() != nil || s.beside != nil {
		s.log.Info("shutting down", "in_progress", s.gate.inside.Load(), "at_most", s.options.Drain)
	}
	return errors.Join(broken, s.drain(force, using, watching))
}

func (s *Server) overHTTP(watch bool) *http.Server {
	handler := s.handler
	if watch {
		handler = s.watch
	}
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// drain ends the doors that clients use, side by side; then those that watch,
// which until then tell that the server lives and is not ready; and then the queue.
func (s *Server) drain(force context.Context, using, watching []door) error {
	ctx, cancel := context.WithTimeoutCause(force, s.options.Drain, fmt.Errorf("%v were not enough", s.options.Drain))
	defer cancel()
	err := s.shut(ctx, using)
	if watch := s.shut(ctx, watching); err == nil {
		err = watch
	}
	if queues := s.drainQueues(ctx); err == nil { // else they end as the servers did
		err = queues
	}
	return err
}

// shut ends doors at once and waits for their requests until ctx ends.
func (s *Server) shut(ctx context.Context, doors []door) error {
	var ending sync.WaitGroup
	var givenUp atomic.Bool
	for _, d := range doors {
		ending.Go(func() {
			if d.Shutdown(ctx) != nil {
				givenUp.Store(true)
			}
		})
	}
	ending.Wait()
	if !givenUp.Load() {
		return nil
	}
	err := fmt.Errorf("%d accepted requests were given up: %w", s.gate.inside.Load(), context.Cause(ctx))
	for _, d := range doors {
		d.Close()
	}
	return err
}

func (s *Server) drainQueues(ctx context.Context) (err error) {
	if o := s.models.Load(); o != nil {
		err = o.drain(ctx)
	}
	if s.beside != nil {
		err = errors.Join(err, s.beside.Drain(ctx))
	}
	return err
}
