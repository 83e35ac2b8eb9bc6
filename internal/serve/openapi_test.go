package serve

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestOpenAPIHasEveryRoute: the document of each profile has the routes that the
// profile answers, and no others.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	t.Parallel()
	for _, name := range append([]string{""}, Profiles...) {
		s := newServer(t, name, &fakeRunner{}, Options{Version: "1.2.3"})
		doc := decoded[document](t, ask(s, get, "/openapi.json", ""))
		if doc.Info["version"] != "1.2.3" || doc.OpenAPI != "3.1.0" {
			t.Errorf("%v", doc.Info)
		}
		for path, methods := range doc.Paths {
			for method := range methods {
				if w := ask(s, strings.ToUpper(method), path, ""); w.Code == http.StatusNotFound || w.Code == http.StatusMethodNotAllowed {
					t.Errorf("profile %q: the document has %s %s, the server answers %d", name, method, path, w.Code)
				}
			}
		}
		for _, d := range s.profile.Dialects {
			for _, r := range d.Routes {
				path := strings.ReplaceAll(r.Path, "{$}", "")
				if doc.Paths[path][strings.ToLower(r.Method)] == nil {
					t.Errorf("profile %q: the document lacks %s %s of %s", name, r.Method, path, d.Name)
				}
			}
		}
	}
}

// TestOpenAPIReferences: every $ref leads somewhere.
func TestOpenAPIReferences(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{})
	text := ask(s, get, "/api-doc/openapi.json", "").Body.String()
	doc := document{}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	const mark = `"$ref": "#/components/schemas/`
	if n := strings.Count(text, mark); n < 20 {
		t.Fatalf("%d references: the test would see nothing", n)
	}
	for _, rest := range strings.Split(text, mark)[1:] {
		name, _, _ := strings.Cut(rest, `"`)
		if doc.Components["schemas"][name] == nil {
			t.Errorf("no schema %q", name)
		}
	}
	shared := doc.Paths["/embed"]["post"]
	if tags := shared["tags"].([]any); len(tags) != 2 {
		t.Errorf("/embed belongs to tei and poc: %v", tags)
	}
	schema := schemaAt(shared, []string{"requestBody", "content"})["schema"].(map[string]any)
	if options, ok := schema["anyOf"].([]any); !ok || len(options) != 2 {
		t.Errorf("/embed takes either body: %v", schema)
	}
}

// TestDocsNeedNoNetwork: the page loads nothing from elsewhere.
func TestDocsNeedNoNetwork(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{})
	w := ask(s, get, "/docs", "")
	if text := w.Body.String(); !strings.Contains(text, "openapi.json") || strings.Contains(text, "://") {
		t.Error("the page must read this server's document and nothing from elsewhere")
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'self'") {
		t.Errorf("Content-Security-Policy %q", policy)
	}
}
