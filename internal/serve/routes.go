package serve

import (
	"net/http"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// endpoint is one path with what each dialect has there.
type endpoint struct {
	server  *Server
	methods map[string][]dialect.Route
	allow   string // the methods, for 405
}

// routes builds the mux: the dialects' paths in the profile's order, then the
// server's own where no dialect has them.
func (s *Server) routes() http.Handler {
	endpoints := map[string]*endpoint{}
	add := func(r dialect.Route) {
		e := endpoints[r.Path]
		if e == nil {
			e = &endpoint{server: s, methods: map[string][]dialect.Route{}}
			endpoints[r.Path] = e
		}
		e.methods[r.Method] = append(e.methods[r.Method], r)
	}
	for _, d := range s.profile.Dialects {
		for _, r := range d.Routes {
			add(r)
		}
	}
	fail := s.profile.fail()
	for _, r := range ownRoutes(fail) {
		if e := endpoints[r.Path]; e == nil || e.methods[r.Method] == nil {
			add(r)
		}
	}
	mux := http.NewServeMux()
	for path, e := range endpoints {
		e.allow = allowed(e.methods)
		mux.Handle(path, e)
	}
	mux.Handle("GET /metrics", s.metrics.handler())
	mux.HandleFunc("GET /docs", s.serveDocs)
	for _, path := range []string{"GET /openapi.json", "GET /api-doc/openapi.json"} {
		mux.HandleFunc(path, s.serveOpenAPI)
	}
	unknown := dialect.Route{Fail: fail}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(&exchange{w: w, r: r, route: unknown}, dialect.Errorf(dialect.NoRoute, "", "no such path: %s; GET /docs lists those there are", r.URL.Path))
	})
	s.mux = mux
	return s.wrap(mux)
}

// watchRoutes are those of a Door that only watches.
func (s *Server) watchRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.handler())
	for _, path := range []string{"GET /health", "GET /health/live", "GET /health/ready"} {
		mux.Handle(path, s.handler)
	}
	return mux
}

func allowed(methods map[string][]dialect.Route) string {
	var names []string
	for name := range methods {
		names = append(names, name)
		if name == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// ServeHTTP finds the method's routes and leaves the choice among them to the
// body.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	routes := e.methods[method]
	x := &exchange{w: w, r: r}
	if routes == nil {
		for _, others := range e.methods {
			x.route = others[0]
		}
		w.Header().Set("Allow", e.allow)
		e.server.fail(x, dialect.Errorf(dialect.NoMethod, "", "%s does not take %s: use %s", r.URL.Path, r.Method, e.allow))
		return
	}
	x.route = routes[0]
	switch {
	case !x.route.Open && !e.server.authorized(r):
		w.Header().Set("WWW-Authenticate", "Bearer")
		e.server.fail(x, dialect.Errorf(dialect.Unauthorized, "", "this server wants an API key: send the header Authorization: Bearer KEY"))
	case x.route.Describe != nil:
		e.server.describe(x)
	default:
		e.server.work(x, routes)
	}
}

// choose returns the route whose dialect the body speaks.
func choose(routes []dialect.Route, b *wire.Body) dialect.Route {
	for _, r := range routes {
		if r.Claims == nil || r.Claims(b) {
			return r
		}
	}
	return routes[0]
}
