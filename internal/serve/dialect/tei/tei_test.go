package tei

import (
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/dialecttest"
)

func TestEmbed(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"inputs":"a"}`:                      `[[3,4,0]]`,
		`{"inputs":["a",[101,102]]}`:          `[[3,4,0],[0,0,1]]`,
		`{"inputs":[101,7,102],"truncate":1}`: ``,
		`{"inputs":[101,7,102],"extra":{}}`:   `[[3,4,0]]`,
	} {
		got := dialecttest.Exchange(t, New(), "/embed", "", body)
		if want == "" {
			dialecttest.Expect(t, got, 422, `{"error":"`+"`truncate` must be a boolean, is a number"+`","error_type":"Validation"}`)
			continue
		}
		dialecttest.Expect(t, got, 200, want)
	}
	got := dialecttest.Exchange(t, New(), "/embed_all", "", `{"inputs":"a"}`)
	dialecttest.Expect(t, got, 200, `[[[3,4,0],[3,4,0]]]`)
}

func TestEmbedOptions(t *testing.T) {
	t.Parallel()
	r, _ := dialecttest.Post(t, New(), "/embed", "", `{"inputs":"a","truncate":false,"truncation_direction":"Left","prompt_name":"query","normalize":false,"dimensions":2}`)
	if r.Truncate != dialect.No || !r.TruncateLeft || r.PromptName != "query" || r.Normalize != dialect.No || r.Dimensions != 2 {
		t.Errorf("%+v", r)
	}
	r, _ = dialecttest.Post(t, New(), "/embed", "", `{"inputs":"a","truncate":null,"prompt_name":null,"dimensions":null}`)
	if r.Truncate != dialect.Unset || r.TruncateLeft || r.PromptName != "" || r.Normalize != dialect.Yes || r.Dimensions != 0 {
		t.Errorf("defaults: %+v", r)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	got := dialecttest.Exchange(t, New(), "/embed", "", `{"inputs":"a"}`).Header
	for name, want := range map[string]string{
		"X-Compute-Time": "35", "X-Compute-Characters": "11", "X-Compute-Tokens": "3", "X-Total-Time": "35",
		"X-Tokenization-Time": "1", "X-Queue-Time": "2", "X-Inference-Time": "30",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, body string
		status     int
		kind, text string
	}{
		{"/embed", `{}`, 422, "Validation", "`inputs` is missing"},
		{"/embed", `{"inputs":[]}`, 400, "Empty", "Input validation error: `inputs` cannot be empty"},
		{"/embed", `{"inputs":["a",""]}`, 400, "Empty", "Input validation error: `inputs` cannot be empty: number 1 of 2 is"},
		{"/embed", `{"inputs":["a","b","c","d","e"]}`, 422, "Validation", "batch size 5 > maximum allowed batch size 4"},
		{"/embed", `{"inputs":"a","dimensions":0}`, 422, "Validation", "Input validation error: `dimensions` should be positive, is 0"},
		{"/embed", `{"inputs":"a","dimensions":2.5}`, 422, "Validation", "`dimensions` must be an integer, is 2.5"},
		{"/embed", `{"inputs":"a","truncation_direction":"up"}`, 422, "Validation", `Input validation error: unknown truncation_direction "up": it must be one of ["Right" "right" "Left" "left"]`},
		{"/embed", `{"inputs":[1.5]}`, 422, "Validation", "`inputs[0]` must be a token id, is 1.5"},
		{"/embed", `{"inputs":[[7,-4294967295]]}`, 422, "Validation", "`inputs[0][1]` must be a token id, is -4294967295"},
		{"/embed", `{"inputs":[2147483648]}`, 422, "Validation", "`inputs[0]` must be a token id, is 2147483648"},
		{"/embed", `{"inputs":[["a"]]}`, 422, "Validation", "`inputs[0][0]` must be a token id, is a string"},
		{"/embed_sparse", `{"inputs":"a"}`, 424, "Backend", "Backend error: Model is not an embedding model with SPLADE pooling"},
		{"/predict", `{"inputs":"a"}`, 424, "Backend", "Backend error: Model is not a classifier model"},
		{"/predict", `{}`, 422, "Validation", "`inputs` is missing"},
		{"/rerank", `{"query":"a","texts":["b"]}`, 424, "Backend", "Backend error: model is not a re-ranker model"},
		{"/rerank", `{"query":"a","texts":[]}`, 400, "Empty", "Input validation error: `texts` cannot be empty"},
		{"/similarity", `{"inputs":{"source_sentence":"a","sentences":[]}}`, 400, "Empty", "Input validation error: `inputs.sentences` cannot be empty"},
		{"/similarity", `{"inputs":{"sentences":["a"]}}`, 422, "Validation", "`inputs.source_sentence` is missing"},
		{"/similarity", `{"inputs":{"source_sentence":"a","sentences":["a","b","c","d"]}}`, 422, "Validation", "batch size 5 > maximum allowed batch size 4"},
		{"/tokenize", `{"inputs":""}`, 400, "Empty", "Input validation error: `inputs` cannot be empty: number 0 of 1 is"},
		{"/decode", `{"ids":["a"]}`, 422, "Validation", "`ids[0]` must be a list of token ids, is a string"},
		{"/decode", `{"ids":[[]]}`, 400, "Empty", "Input validation error: `input_ids` cannot be empty: number 0 is"},
	} {
		got := dialecttest.Exchange(t, New(), c.path, "", c.body)
		if got.Status != c.status || !strings.Contains(got.Body, `"error_type":"`+c.kind+`"`) {
			t.Errorf("%s %s: %+v, want %d %s", c.path, c.body, got, c.status, c.kind)
		}
		if want := dialecttest.Write(t, func(a *dialect.Answer) { a.String(c.text) }).Body; !strings.Contains(got.Body, want) {
			t.Errorf("%s %s: %s, want %s in it", c.path, c.body, got.Body, want)
		}
	}
}

// TestErrorKinds has the statuses of TEI's error types, in both of its shapes.
func TestErrorKinds(t *testing.T) {
	t.Parallel()
	for kind, want := range map[dialect.Kind]struct {
		status int
		name   string
	}{
		dialect.Unavailable: {503, "Unhealthy"}, dialect.Internal: {424, "Backend"}, dialect.Overloaded: {429, "Overloaded"},
		dialect.TooLong: {422, "Validation"}, dialect.Empty: {400, "Empty"}, dialect.TooLarge: {413, "Validation"}, dialect.Syntax: {400, "Validation"},
	} {
		e := &dialect.Error{Kind: kind, Message: "m"}
		got := dialecttest.Write(t, func(a *dialect.Answer) { fail(a, e) })
		if got.Status != want.status || !strings.Contains(got.Body, `"error_type":"`+want.name+`"}`) {
			t.Errorf("%v: %+v", kind, got)
		}
		got = dialecttest.Write(t, func(a *dialect.Answer) { failFlat(a, e) })
		if got.Status != want.status || !strings.Contains(got.Body, `"type":"`+want.name+`"}`) || !strings.HasPrefix(got.Body, `{"message":`) {
			t.Errorf("%v, flat: %+v", kind, got)
		}
	}
}

func TestSimilarity(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/similarity", "/{$}", "/invocations"} {
		got := dialecttest.Exchange(t, New(), path, "", `{"inputs":{"source_sentence":"a","sentences":["b","c"]},"parameters":{"truncate":true}}`)
		dialecttest.Expect(t, got, 200, `[0,1]`)
	}
}

func TestTokenizeAndDecode(t *testing.T) {
	t.Parallel()
	got := dialecttest.Exchange(t, New(), "/tokenize", "", `{"inputs":"a"}`)
	dialecttest.Expect(t, got, 200, `[[{"id":2,"text":"[CLS]","special":true,"start":null,"stop":null},{"id":9,"text":"hé","special":false,"start":0,"stop":3}]]`)
	dialecttest.Expect(t, dialecttest.Exchange(t, New(), "/decode", "", `{"ids":[[2,3],[4]]}`), 200, `["hé","hé"]`)
	if r, _ := dialecttest.Post(t, New(), "/decode", "", `{"ids":[2,3],"skip_special_tokens":false}`); r.SkipSpecial || len(r.Inputs) != 1 {
		t.Errorf("%+v", r)
	}
	if r, _ := dialecttest.Post(t, New(), "/tokenize", "", `{"inputs":["a","b"],"add_special_tokens":false}`); !r.NoSpecial || len(r.Inputs) != 2 {
		t.Errorf("%+v", r)
	}
}

func TestOpenAIRoute(t *testing.T) {
	t.Parallel()
	got := dialecttest.Exchange(t, New(), "/v1/embeddings", "", `{"input":"a","model":"whatever"}`)
	dialecttest.Expect(t, got, 200, `{"id":"embd-id1","object":"list","created":1800000000,"model":"tiny",
		"data":[{"object":"embedding","index":0,"embedding":[3,4,0]}],"usage":{"prompt_tokens":3,"total_tokens":3}}`)
	got = dialecttest.Exchange(t, New(), "/embeddings", "", `{"input":[]}`)
	dialecttest.Expect(t, got, 400, `{"message":"Input validation error: `+"`input` cannot be an empty list"+`","code":400,"type":"Empty"}`)
}

func TestInfoAndHealth(t *testing.T) {
	t.Parallel()
	dialecttest.Expect(t, dialecttest.Get(t, New(), "/info", true), 200, `{"model_id":"org/tiny","model_sha":"abc","model_dtype":"float32","served_model_name":"tiny",
		"model_type":{"embedding":{"pooling":"mean"}},"max_concurrent_requests":8,"max_input_length":16,"max_batch_tokens":100,"max_batch_requests":null,
		"max_client_batch_size":4,"auto_truncate":true,"tokenization_workers":2,"version":"1.2.3","sha":null,"docker_label":null,
		"server":"paceline","profile":"tei","policy":"budget","device":"cpu","cpu_level":"avx2","threads":2,"embedding_dim":3,"payload_limit":2000}`)
	for _, path := range []string{"/health", "/ping", "/{$}"} {
		if got := dialecttest.Get(t, New(), path, true); got.Status != 200 || got.Body != "" {
			t.Errorf("%s: %+v", path, got)
		}
		dialecttest.Expect(t, dialecttest.Get(t, New(), path, false), 503, `{"error":"unhealthy","error_type":"Unhealthy"}`)
	}
}

func FuzzEmbed(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/embed", `{"inputs":["a",[1,2]],"truncate":true,"dimensions":2}`, `{"inputs":[1,2]}`, `{"inputs":[1,"a"]}`, `{"inputs":[[1,"a"]]}`)
}

func FuzzRoot(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/{$}", `{"inputs":{"source_sentence":"a","sentences":["b"]},"parameters":{"prompt_name":"q"}}`, `{"inputs":"a"}`, `{"inputs":{}}`)
}

func FuzzDecode(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/decode", `{"ids":[1,2]}`, `{"ids":[[1],[2,3]]}`, `{"ids":[[],3]}`)
}

func FuzzTokenize(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/tokenize", `{"inputs":["a"],"add_special_tokens":false}`)
}

func FuzzHeads(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/rerank", `{"query":"a","texts":["b"]}`, `{"query":[],"texts":{}}`)
}
