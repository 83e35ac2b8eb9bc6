package serve

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	"github.com/paceline/paceline/internal/serve/dialect"
)

//go:embed openapi.json
var ownOpenAPI []byte

//go:embed docs.html
var docsPage []byte

//go:embed everything.json
var everythingOpenAPI []byte

// document is as much of an OpenAPI 3.1 document as merging needs to know.
type document struct {
	OpenAPI    string                               `json:"openapi"`
	Info       map[string]any                       `json:"info"`
	Tags       []map[string]string                  `json:"tags"`
	Paths      map[string]map[string]map[string]any `json:"paths"`
	Components map[string]map[string]any            `json:"components"`
}

// mergeOpenAPI joins the dialects' parts, an extension's unless it is nil, and the
// server's own into one document, in the order in which routes are chosen.
func mergeOpenAPI(dialects []dialect.Dialect, beside *Extension, version string) []byte {
	own := parseOpenAPI(ownOpenAPI)
	whole := &document{OpenAPI: own.OpenAPI, Info: own.Info, Paths: map[string]map[string]map[string]any{}, Components: own.Components}
	whole.Info["version"] = version
	for _, d := range dialects {
		whole.join(d.Name, parseOpenAPI(d.OpenAPI))
	}
	if beside != nil {
		whole.join(beside.Name, parseOpenAPI(beside.OpenAPI))
	}
	whole.join("paceline", own)
	merged, err := json.MarshalIndent(whole, "", " ")
	if err != nil {
		panic(err) // it came from JSON
	}
	return merged
}

// join adds a part under the name of its dialect. Where a GET is there already,
// that one answers; where a POST is, the body decides, and bodies and answers
// become alternatives.
func (d *document) join(name string, part *document) {
	d.Tags = append(d.Tags, map[string]string{"name": name})
	maps.Copy(d.Components["schemas"], part.Components["schemas"])
	for path, methods := range part.Paths {
		if d.Paths[path] == nil {
			d.Paths[path] = map[string]map[string]any{}
		}
		for method, operation := range methods {
			operation["tags"] = []any{name}
			there := d.Paths[path][method]
			switch {
			case there == nil:
				d.Paths[path][method] = operation
			case method == "post":
				d.Paths[path][method] = alternatives(there, operation)
			}
		}
	}
}

func parseOpenAPI(data []byte) *document {
	d := &document{}
	if err := json.Unmarshal(data, d); err != nil {
		panic(fmt.Sprintf("embedded OpenAPI document: %v", err)) // a mistake of ours, which every test meets
	}
	return d
}

// alternatives joins two operations of one path: either body, either answer.
func alternatives(a, b map[string]any) map[string]any {
	joined := maps.Clone(a)
	joined["tags"] = append(a["tags"].([]any), b["tags"].([]any)...)
	joined["summary"] = fmt.Sprintf("%v / %v", a["summary"], b["summary"])
	if parameters, ok := b["parameters"].([]any); ok {
		mine, _ := a["parameters"].([]any)
		joined["parameters"] = append(mine, parameters...)
	}
	for _, place := range [][]string{{"requestBody", "content"}, {"responses", "200", "content"}} {
		either(joined, b, place)
	}
	return joined
}

// either makes the JSON schema at that place of a one of a's and b's.
func either(a, b map[string]any, place []string) {
	left, right := schemaAt(a, place), schemaAt(b, place)
	if left == nil || right == nil {
		return
	}
	options, ok := left["schema"].(map[string]any)["anyOf"].([]any)
	if !ok {
		options = []any{left["schema"]}
	}
	left["schema"] = map[string]any{"anyOf": append(options, right["schema"])}
}

// schemaAt is the media type object that holds the schema, or nil.
func schemaAt(operation map[string]any, place []string) map[string]any {
	at := operation
	for _, name := range append(place, "application/json") {
		at, _ = at[name].(map[string]any)
	}
	return at
}

func (s *Server) serveOpenAPI(w http.ResponseWriter, r *http.Request) {
	w.Header()["Content-Type"] = jsonType
	_, _ = w.Write(s.openAPI()) // a client that has left needs no answer
}

func (s *Server) serveDocs(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'")
	_, _ = w.Write(docsPage)
}
