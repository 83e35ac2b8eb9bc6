package serve

import (
	"net/http"
	"strings"
	"testing"
)

// TestBodyChoosesTheDialect: on one port a path means what the body says.
func TestBodyChoosesTheDialect(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{})
	for _, c := range []struct {
		path, body string
		status     int
		begins     string
	}{
		{"/embed", `{"texts":["a"]}`, 200, `{"embeddings":[[`},
		{"/embed", `{"inputs":["a"]}`, 200, `[[`},
		{"/embed", `{}`, 422, "{\"error\":\"`inputs` is missing\""},
		{"/embeddings", `{"texts":["a"]}`, 200, `{"embeddings":[[`},
		{"/embeddings", `["a"]`, 200, `{"embeddings":[[`},
		{"/embeddings", `{"input":["a"]}`, 200, `{"id":"embd-`},
		{"/v1/embeddings", `{"input":["a"]}`, 200, `{"id":"embd-`},
		{"/v1/embeddings", `{}`, 400, `{"error":{"message":`},
		{"/similarity", `{"texts1":["a"],"texts2":["b"]}`, 200, `{"similarities":[[`},
		{"/similarity", `{"inputs":{"source_sentence":"a","sentences":["a"]}}`, 200, `[1]`},
		{"/", `{"inputs":"a"}`, 200, `[[`},
		{"/", `{"inputs":{"source_sentence":"a","sentences":["a"]}}`, 200, `[1]`},
		{"/search", `{"query":"a","corpus":["a"]}`, 200, `{"query":"a"`},
		{"/embed_all", `{"inputs":"a"}`, 200, `[[[0,1,2,3],[4,5,6,7],[8,9,10,11]]]`},
		{"/rerank", `{"query":"a","texts":["a"]}`, 424, `{"error":"Backend error`},
		{"/rerank", `{"query":"a","documents":["a"]}`, 200, `{"id":"score-`},
		{"/rerank", `{"query":"a"}`, 400, `{"error":{"message"`},
		{"/tokenize", `{"inputs":"a"}`, 200, `[[{"id":2`},
		{"/tokenize", `{"prompt":"a"}`, 200, `{"count":3,"max_model_len":16,"tokens":[2,`},
		{"/v1/embeddings", `{"messages":[]}`, 400, `{"error":{"message":"chat messages`},
	} {
		w := ask(s, post, c.path, c.body)
		if w.Code != c.status || !strings.HasPrefix(w.Body.String(), c.begins) {
			t.Errorf("%s %s: got %d %s, want %d %s…", c.path, c.body, w.Code, w.Body, c.status, c.begins)
		}
	}
}

// TestProfilesSpeakTheirDialects: a profile answers its own stack's paths only.
func TestProfilesSpeakTheirDialects(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"/embeddings": `{"texts":["a"]}`, "/search": `{"query":"a","corpus":["b"]}`, "/embed": `{"texts":["a"],"inputs":["a"]}`,
		"/v1/embeddings": `{"input":"a"}`, "/tokenize": `{"inputs":"a"}`,
	}
	for profile, paths := range map[string]string{
		"":          "/embeddings /search /embed /v1/embeddings /tokenize",
		"fastapi":   "/embeddings /search",
		"triton":    "/embeddings /search",
		"tei":       "/embed /v1/embeddings /tokenize",
		"langchain": "/embed",
		"vllm":      "/embed /v1/embeddings",
	} {
		s := newServer(t, profile, &fakeRunner{}, Options{})
		for path, body := range bodies {
			want := 404
			if strings.Contains(" "+paths+" ", " "+path+" ") {
				want = 200
			}
			if profile == "tei" && path == "/embeddings" {
				want = 422 // the path is there, and wants OpenAI's body
			}
			if profile == "vllm" && (path == "/embeddings" || path == "/tokenize") {
				want = 400
			}
			if w := ask(s, post, path, body); w.Code != want {
				t.Errorf("profile %q: %s: %d %s, want %d", profile, path, w.Code, w.Body, want)
			}
		}
		for _, path := range []string{"/health", "/health/live", "/health/ready", "/info", "/metrics", "/docs", "/openapi.json", "/api-doc/openapi.json"} {
			if w := ask(s, get, path, ""); w.Code != 200 {
				t.Errorf("profile %q: GET %s: %d %s", profile, path, w.Code, w.Body)
			}
		}
	}
}

// TestHealthHasEveryClientsKeys: on the port of all dialects, each finds its own.
func TestHealthHasEveryClientsKeys(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{})
	got := decoded[map[string]any](t, ask(s, get, "/health", ""))
	for _, key := range []string{"status", "backend", "model", "gpu_available", "model_name", "device", "processed_batches", "queue_size", "max_batch_size"} {
		if _, ok := got[key]; !ok {
			t.Errorf("%v has no %q", got, key)
		}
	}
	if got["status"] != "healthy" {
		t.Errorf("%v", got)
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	s := newServer(t, "tei", &fakeRunner{}, Options{})
	wantStatus(t, ask(s, get, "/nowhere", ""), 404, `"error_type"`)
	w := ask(s, http.MethodDelete, "/embed", "")
	wantStatus(t, w, 405, "use POST")
	if allow := w.Header().Get("Allow"); allow != "POST" {
		t.Errorf("Allow: %q", allow)
	}
	if w := ask(s, http.MethodHead, "/health", ""); w.Code != 200 {
		t.Errorf("HEAD /health: %d", w.Code)
	}
}

func TestUnknownProfile(t *testing.T) {
	t.Parallel()
	if p, err := ProfileNamed("ollama"); err == nil || !strings.Contains(err.Error(), "langchain") {
		t.Errorf("%v, %v: the error must name the profiles there are", p.Name, err)
	}
}
