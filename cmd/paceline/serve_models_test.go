package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestServeModels serves one model under three names with room for one: each is
// opened when it is asked for, and gives the same vector every time.
func TestServeModels(t *testing.T) {
	t.Parallel()
	s := startServe(t, nil, "--model", "../../testdata/tiny/bert", "--model", "../../testdata/tiny/bert",
		"--served-model-name", "a", "--served-model-name", "b", "--served-model-name", "c",
		"--lazy", "--max-model-memory", "9MB")
	var before string
	for range 2 {
		for _, name := range []string{"a", "b", "c"} {
			r, err := http.Post(s.URL+"/v1/embeddings", "application/json", strings.NewReader(fmt.Sprintf(`{"model":%q,"input":"a text"}`, name)))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r.Body)
			r.Body.Close()
			_, vector, found := strings.Cut(string(text), `"embedding":`)
			if err != nil || r.StatusCode != 200 || !found {
				t.Fatalf("%s: %d %s %v", name, r.StatusCode, text, err)
			}
			if before != "" && before != vector {
				t.Errorf("%s gives another vector", name)
			}
			before = vector
		}
	}
	if status, text := s.get(t, "/v1/models"); status != 200 || strings.Count(text, `"loaded":true`) != 1 || strings.Count(text, `"object":"model"`) != 3 {
		t.Errorf("%d %s", status, text)
	}
	log := s.stop(t)
	if opened := strings.Count(log, "model opened"); opened != 6 || !strings.Contains(log, "models=a,b,c") {
		t.Errorf("%d openings:\n%s", opened, log)
	}
}
