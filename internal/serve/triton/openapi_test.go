package triton_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/serve/triton"
)

// TestOpenAPI: the document has what the handler answers: every path of it is
// there, by its methods, and every path that the handler names is in it.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	var document struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal(triton.OpenAPI, &document); err != nil {
		t.Fatal(err)
	}
	f := preset(t)
	values := strings.NewReplacer("{model}", "tokenizer", "{version}", "1", "{region}", "r", "{repository}", "mine")
	for path, methods := range document.Paths {
		for method := range methods {
			w := f.do(strings.ToUpper(method), values.Replace(path), nil)
			if w.Code == http.StatusMethodNotAllowed || strings.Contains(w.Body.String(), "Not Found") {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
	if len(document.Paths) < 30 {
		t.Errorf("%d paths", len(document.Paths))
	}
	for _, name := range regexp.MustCompile(`#/components/schemas/(\w+)`).FindAllStringSubmatch(string(triton.OpenAPI), -1) {
		if document.Components.Schemas[name[1]] == nil {
			t.Errorf("no schema %s", name[1])
		}
	}
	for _, file := range []string{"http.go", "trace.go", "logging.go", "memory.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, named := range regexp.MustCompile(`"(/v2/[a-z/]+)"`).FindAllStringSubmatch(string(text), -1) {
			found := false
			for path := range document.Paths {
				found = found || strings.HasPrefix(path, named[1])
			}
			if !found {
				t.Errorf("%s has %s, the document does not", file, named[1])
			}
		}
	}
}
