package serve

import (
	"context"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestExtension holds what the server does for an API beside its dialects: the
// key, the request's id, metrics and readiness.
func TestExtension(t *testing.T) {
	t.Parallel()
	s := newServer(t, "triton", &fakeRunner{}, Options{APIKey: "secret"})
	ready := false
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "nv_something"})
	s.Extend(Extension{
		Prefix: "/v2", Open: []string{"/v2/health/live"}, Metrics: counter,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		Ready:   func() bool { return ready },
		Drain:   func(context.Context) error { return nil },
	})
	wantStatus(t, ask(s, "GET", "/v2/health/live", ""), http.StatusTeapot, "")
	wantStatus(t, ask(s, "GET", "/v2/models/m", ""), http.StatusUnauthorized, "API key")
	answer := ask(s, "GET", "/v2/models/m", "", "Authorization", "Bearer secret")
	wantStatus(t, answer, http.StatusTeapot, "")
	if answer.Header().Get(requestIDHeader) == "" {
		t.Error("no request id")
	}
	wantStatus(t, ask(s, "GET", "/metrics", ""), http.StatusOK, "nv_something 0")
	wantStatus(t, ask(s, "GET", "/health/ready", ""), http.StatusServiceUnavailable, "")
	ready = true
	wantStatus(t, ask(s, "GET", "/health/ready", ""), http.StatusOK, "")
}

func TestDeflate(t *testing.T) {
	t.Parallel()
	s := newServer(t, "tei", &fakeRunner{}, Options{})
	wantStatus(t, ask(s, "POST", "/embed", "not zlib", "Content-Encoding", "deflate"), http.StatusBadRequest, "not deflate as its Content-Encoding says")
	wantStatus(t, ask(s, "POST", "/embed", "x", "Content-Encoding", "br"), http.StatusUnsupportedMediaType, "send gzip, deflate or none")
}

// TestExtensionInOpenAPI: the document has an extension's part beside the others.
func TestExtensionInOpenAPI(t *testing.T) {
	t.Parallel()
	s := newServer(t, "triton", &fakeRunner{}, Options{})
	s.Extend(Extension{
		Name: "more", Prefix: "/more", Handler: http.NotFoundHandler(), Metrics: prometheus.NewCounter(prometheus.CounterOpts{Name: "n"}),
		OpenAPI: []byte(`{"paths":{"/more/things":{"get":{"summary":"Things"}}},"components":{"schemas":{"Thing":{"type":"object"}}}}`),
		Ready:   func() bool { return true }, Drain: func(context.Context) error { return nil },
	})
	document := decoded[document](t, ask(s, get, "/openapi.json", ""))
	if document.Paths["/more/things"]["get"]["summary"] != "Things" || document.Components["schemas"]["Thing"] == nil || document.Paths["/embeddings"] == nil {
		t.Errorf("%v", document.Paths)
	}
}
