package serve

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/serve/dialect"
)

func TestAPIKey(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{APIKey: "secret"})
	for header, status := range map[string]int{
		"Bearer secret": 200, "bearer secret": 200, "": 401, "Bearer secre": 401, "Bearer secret2": 401, "Basic secret": 401, "secret": 401,
	} {
		if w := ask(s, post, "/embed", `{"inputs":"a"}`, "Authorization", header); w.Code != status {
			t.Errorf("%q: %d %s", header, w.Code, w.Body)
		}
	}
	w := ask(s, post, "/v1/embeddings", `{"input":"a"}`)
	wantStatus(t, w, 401, `"code":"invalid_api_key"`)
	if w.Header().Get("WWW-Authenticate") != "Bearer" {
		t.Error("no WWW-Authenticate")
	}
	for _, path := range []string{"/health", "/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"} {
		if w := ask(s, get, path, ""); w.Code != 200 {
			t.Errorf("%s must be open: %d", path, w.Code)
		}
	}
	wantStatus(t, ask(s, get, "/info", ""), 401, "API key")
	wantStatus(t, ask(s, get, "/v1/models", ""), 401, "API key")
}

func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{Origins: []string{"https://a.example"}})
	allowed := func(method, origin string) (int, string) {
		w := ask(s, method, "/embed", `{"inputs":"a"}`, "Origin", origin)
		return w.Code, w.Header().Get("Access-Control-Allow-Origin")
	}
	if code, origin := allowed(http.MethodOptions, "https://a.example"); code != 204 || origin != "https://a.example" {
		t.Errorf("%d %q", code, origin)
	}
	if code, origin := allowed(post, "https://a.example"); code != 200 || origin != "https://a.example" {
		t.Errorf("%d %q", code, origin)
	}
	if _, origin := allowed(post, "https://b.example"); origin != "" {
		t.Errorf("a stranger: %q", origin)
	}
	if _, origin := func() (int, string) {
		s := newServer(t, "", &fakeRunner{}, Options{})
		w := ask(s, post, "/embed", `{"inputs":"a"}`, "Origin", "https://a.example")
		return w.Code, w.Header().Get("Access-Control-Allow-Origin")
	}(); origin != "" {
		t.Errorf("without the option: %q", origin)
	}
}

// deadlines records the write deadlines of one answer.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (w *deadlines) SetWriteDeadline(t time.Time) error {
	w.set = append(w.set, t)
	return nil
}

// TestWriteDeadline: an answer has a minute from the moment it is written, and a
// request starts without the deadline of the one before it on its connection.
func TestWriteDeadline(t *testing.T) {
	t.Parallel()
	s := newServer(t, "fastapi", &fakeRunner{}, Options{})
	for path, writes := range map[string]int{"/health": 1, "/metrics": 0} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		before := time.Now()
		s.Handler().ServeHTTP(w, httptest.NewRequest(get, path, nil))
		if len(w.set) != 1+writes || !w.set[0].IsZero() {
			t.Fatalf("%s: deadlines %v", path, w.set)
		}
		if writes == 1 && w.set[1].Before(before.Add(writeTimeout)) {
			t.Errorf("%s: %v to write", path, w.set[1].Sub(before))
		}
	}
}

// TestPanicInAHandler: status 500 in the profile's words, and the next request is
// answered.
func TestPanicInAHandler(t *testing.T) {
	t.Parallel()
	s := newServer(t, "fastapi", &fakeRunner{}, Options{}, func(p *Profile) {
		d := p.Dialects[0]
		d.Routes = append(d.Routes, dialect.Route{Method: get, Path: "/boom", Fail: d.Routes[0].Fail, Open: true,
			Describe: func(*dialect.Answer, *dialect.Info, *dialect.Stats) { panic("boom") }})
		p.Dialects = []dialect.Dialect{d}
	})
	w := ask(s, get, "/boom", "", "X-Request-Id", "r7")
	wantStatus(t, w, 500, `{"detail":"a fault of the server's; its log has it under id r7"}`)
	if strings.Contains(w.Body.String(), "boom") {
		t.Error("what a panic says is not for clients")
	}
	wantStatus(t, ask(s, post, "/embeddings", `["a"]`), 200, "embeddings")
}
