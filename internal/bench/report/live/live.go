// Package live shows a run in a browser, one that is under way as it grows: it reads
// the records that the run leaves on disk, knows nothing of the run itself and changes
// nothing.
package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/paceline/paceline/internal/bench/report/figures"
	"github.com/paceline/paceline/internal/bench/report/page"
)

// look is how often the records are looked at for more.
const look = time.Second

// parting is how long replies may take after the end.
const parting = 2 * time.Second

// server renders the newest records and tells browsers when there are more.
type server struct {
	source *source

	mu      sync.Mutex
	version int           // of the records
	grown   chan struct{} // closed when there is a newer one
	html    []byte        // of the version before it is asked for again; nil: to be rendered
}

// Serve shows the run in dir on a listener until ctx ends; then all connections are
// closed. It fails at once where dir holds no run.
func Serve(ctx context.Context, dir string, listener net.Listener) error {
	source, err := open(dir)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s := &server{source: source, grown: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /events", s.events)
	h := &http.Server{Handler: local(listener.Addr(), mux), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 1)
	go func() { served <- h.Serve(listener) }()
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		select {
		case err := <-served:
			return err
		case <-ticker.C:
			s.look()
		case <-ctx.Done():
			rest, stop := context.WithTimeout(context.WithoutCancel(ctx), parting)
			defer stop()
			err := h.Shutdown(rest)
			<-served
			if errors.Is(err, context.DeadlineExceeded) {
				return h.Close()
			}
			return err
		}
	}
}

// look tells the browsers that wait when there are more records.
func (s *server) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if grew, err := s.source.read(); err == nil && !grew {
		return
	}
	s.version++
	s.html = nil
	close(s.grown)
	s.grown = make(chan struct{})
}

// page sends the report as it stands. Records that cannot be read are said to be so.
func (s *server) page(w http.ResponseWriter, r *http.Request) {
	html, err := s.render()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(html)
}

func (s *server) render() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.html != nil {
		return s.html, nil
	}
	results, err := s.source.results()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := page.WriteLive(figures.NewIndex(results), &b, s.source.finished()); err != nil {
		return nil, err
	}
	s.html = b.Bytes()
	return s.html, nil
}

// events is a stream of server-sent events, one for every version of the records.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	for {
		s.mu.Lock()
		version, grown := s.version, s.grown
		s.mu.Unlock()
		if _, err := fmt.Fprintf(w, "data: %d\n\n", version); err != nil {
			return
		}
		if err := out.Flush(); err != nil {
			return
		}
		select {
		case <-grown:
		case <-r.Context().Done():
			return
		}
	}
}
