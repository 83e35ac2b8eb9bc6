package serve

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paceline/paceline/internal/serve/dialect"
)

// Extension is an API that is no Dialect: one with models of its own, names in
// its paths and bodies that are not JSON. What the server does for every request
// (ids, cross-origin rules, the key, the log, limits) it does for these.
type Extension struct {
	Name    string   // as the OpenAPI document has it
	Prefix  string   // its paths: this one and those below
	Open    []string // the paths of it that need no API key: health, which a Door that watches has too
	Handler http.Handler
	OpenAPI []byte // the document's part: its paths and schemas
	Metrics prometheus.Collector
	Alone   bool                            // the server has no model but the extension's
	Ready   func() bool                     // counts for the server's readiness
	Drain   func(ctx context.Context) error // after the last request
}

// Extend adds an extension. It must come before Serve.
func (s *Server) Extend(e Extension) {
	open := http.NewServeMux()
	for _, path := range e.Open {
		open.Handle(path, e.Handler)
		s.watch.Handle("GET "+path, s.handler)
	}
	guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.authorized(r) && !isOpen(open, r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			s.fail(&exchange{w: w, r: r, route: dialect.Route{Fail: s.profile.fail()}},
				dialect.Errorf(dialect.Unauthorized, "", "this server wants an API key: send the header Authorization: Bearer KEY"))
			return
		}
		e.Handler.ServeHTTP(w, r)
	})
	s.mux.Handle(e.Prefix, guarded)
	s.mux.Handle(e.Prefix+"/", guarded)
	s.metrics.registry.MustRegister(e.Metrics)
	s.beside = &e
}

// isOpen tells whether a request needs no API key.
func isOpen(open *http.ServeMux, r *http.Request) bool {
	_, pattern := open.Handler(r)
	return pattern != ""
}

// Enter lets one request of an extension in until leave is called.
func (s *Server) Enter() (leave func(), refused *dialect.Error) { return s.gate.enter() }

// ReadBody reads the body of an extension's request, unpacked; it is valid until
// release.
func (s *Server) ReadBody(w http.ResponseWriter, r *http.Request) (body []byte, release func(), refused *dialect.Error) {
	return s.readBody(w, r)
}

// Explain gives the errors of pipeline and queue their kind.
func (s *Server) Explain(err error) *dialect.Error { return s.explain(err) }
