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
		{"/embed", `{"inputs":"a","normalize":"no"}`, 422, "Validation", "`normalize` must be a boolean, is a string"},
		{"/embed", `{"inputs":"a","dimensions":"2"}`, 422, "Validation", "`dimensions` must be an integer, is a string"},
		{"/predict", `{"inputs":[]}`, 400, "Empty", "Input validation error: `inputs` cannot be empty"},
		{"/predict", `{"inputs":["a","b","c"]}`, 422, "Validation", "`inputs` must have one or two strings"},
		{"/predict", `{"inputs":[["a"],[]]}`, 422, "Validation", "`inputs[1]` must have one or two strings"},
		{"/predict", `{"inputs":[["a","b","c"]]}`, 422, "Validation", "`inputs[0]` must have one or two strings"},
		{"/predict", `{"inputs":["a",["b"]]}`, 422, "Validation", "`inputs[1]` must be a string, is a list"},
		{"/predict", `{"inputs":[["a"],"b"]}`, 422, "Validation", "`inputs[1]` must be a list of one or two strings, is a string"},
		{"/predict", `{"inputs":[["a"],["b",3]]}`, 422, "Validation", "`inputs[1][1]` must be a string, is a number"},
		{"/predict", `{"inputs":[["a"],["b"],["c"],["d"],["e"]]}`, 422, "Validation", "batch size 5 > maximum allowed batch size 4"},
		{"/predict", `{"inputs":["",""]}`, 400, "Empty", "Input validation error: `inputs` cannot be empty: number 0 of 1 is"},
		{"/predict", `{"inputs":7}`, 422, "Validation", "`inputs` must be a string, a pair of strings or a list of such, is a number"},
		{"/rerank", `{"texts":["a"]}`, 422, "Validation", "`query` is missing"},
		{"/rerank", `{"query":"a","texts":["b","c","d","e","f"]}`, 422, "Validation", "batch size 5 > maximum allowed batch size 4"},
		{"/rerank", `{"query":"a","texts":"b"}`, 422, "Validation", "`texts` must be a list of strings, is a string"},
		{"/rerank", `{"query":"a","texts":["b"],"raw_scores":"yes"}`, 422, "Validation", "`raw_scores` must be a boolean, is a string"},
		{"/{$}", `{}`, 422, "Validation", "`inputs` is missing"},
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

var (
	reranker   = dialecttest.InfoOf(dialect.Reranker, "LABEL_0")
	classifier = dialecttest.InfoOf(dialect.Classifier, "a", "b", "c")
	splade     = dialecttest.InfoOf(dialect.Splade)
)

func TestPredict(t *testing.T) {
	t.Parallel()
	const first, second = `[{"score":0.75,"label":"b"},{"score":0.5,"label":"c"},{"score":0.25,"label":"a"}]`, `[{"score":0.75,"label":"a"},{"score":0.5,"label":"b"},{"score":0.25,"label":"c"}]`
	for body, want := range map[string]string{
		`{"inputs":"a"}`:               first,
		`{"inputs":["a"]}`:             first,
		`{"inputs":["a","b"]}`:         first,
		`{"inputs":[["a"]]}`:           `[` + first + `]`,
		`{"inputs":[["a","b"],["c"]]}`: `[` + first + `,` + second + `]`,
	} {
		for _, path := range []string{"/predict", "/{$}", "/invocations"} {
			dialecttest.Expect(t, dialecttest.ExchangeWith(t, New(), classifier, path, "", body), 200, want)
		}
	}
	r, _ := dialecttest.PostTo(t, New(), classifier, "/predict", "", `{"inputs":[["a"],["b","c"]],"truncate":false,"truncation_direction":"left","raw_scores":true}`)
	if r.Want != dialect.Scores || r.Inputs[0].Second != nil || *r.Inputs[1].Second != "c" || r.Truncate != dialect.No || !r.TruncateLeft || r.Activation != dialect.Logits {
		t.Errorf("%+v", r)
	}
}

func TestRerank(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/rerank", "/{$}", "/invocations"} {
		got := dialecttest.ExchangeWith(t, New(), reranker, path, "", `{"query":"q","texts":["x","y","z"],"return_text":true}`)
		dialecttest.Expect(t, got, 200, `[{"index":1,"text":"y","score":0.75},{"index":2,"text":"z","score":0.5},{"index":0,"text":"x","score":0.25}]`)
		if got.Header["X-Compute-Tokens"] != "9" {
			t.Errorf("%v", got.Header)
		}
	}
	got := dialecttest.ExchangeWith(t, New(), reranker, "/rerank", "", `{"query":"q","texts":["x","y","z","w"]}`)
	dialecttest.Expect(t, got, 200, `[{"index":1,"score":0.75},{"index":2,"score":0.5},{"index":3,"score":0.25},{"index":0,"score":0.25}]`) // TEI's order of equals
	r, _ := dialecttest.PostTo(t, New(), reranker, "/rerank", "", `{"query":"q","texts":["x",""]}`)
	if r.Activation != dialect.Probability || r.Truncate != dialect.Unset || r.Inputs[1].Text != "q" || *r.Inputs[1].Second != "" {
		t.Errorf("%+v", r)
	}
	if r, _ = dialecttest.PostTo(t, New(), reranker, "/rerank", "", `{"query":"q","texts":["x"],"raw_scores":true}`); r.Activation != dialect.Logits {
		t.Errorf("%+v", r)
	}
}

func TestSparse(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/embed_sparse", "/{$}", "/invocations"} {
		got := dialecttest.ExchangeWith(t, New(), splade, path, "", `{"inputs":["a","b"]}`)
		dialecttest.Expect(t, got, 200, `[[{"index":0,"value":3},{"index":1,"value":4}],[{"index":2,"value":1}]]`)
	}
	if r, _ := dialecttest.PostTo(t, New(), splade, "/embed", "", `{"inputs":"a","normalize":false}`); r == nil || r.Want != dialect.Vectors {
		t.Errorf("a model with SPLADE pooling gives whole vectors too: %+v", r)
	}
}

// TestHeads: each route wants a model with its head and says so otherwise.
func TestHeads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		info             *dialect.Info
		path, body, want string
	}{
		{splade, "/embed", `{"inputs":"a"}`, "Backend error: `normalize` is not available for SPLADE models"},
		{splade, "/v1/embeddings", `{"input":"a"}`, "Backend error: `normalize` is not available for SPLADE models"},
		{splade, "/embed_all", `{"inputs":"a"}`, "Backend error: `embed_all` is not available for SPLADE models"},
		{classifier, "/embed", `{"inputs":"a"}`, "Backend error: Model is not an embedding model"},
		{classifier, "/similarity", `{"inputs":{"source_sentence":"a","sentences":["b"]}}`, "Backend error: Model is not an embedding model"},
		{classifier, "/embed_sparse", `{"inputs":"a"}`, "Backend error: Model is not an embedding model with SPLADE pooling"},
		{classifier, "/rerank", `{"query":"a","texts":["b"]}`, "Backend error: model is not a re-ranker model"},
		{reranker, "/embed_all", `{"inputs":"a"}`, "Backend error: Model is not an embedding model"},
		{reranker, "/v1/embeddings", `{"input":"a"}`, "Backend error: Model is not an embedding model"},
		{dialecttest.Info(), "/{$}", `{"query":"a","texts":["b"]}`, "Backend error: model is not a re-ranker model"},
	} {
		got := dialecttest.ExchangeWith(t, New(), c.info, c.path, "", c.body)
		if got.Status != 424 || !strings.Contains(got.Body, `:"`+c.want+`"`) || !strings.Contains(got.Body, `"Backend"`) {
			t.Errorf("%s %s: %d %s, want %q", c.path, c.body, got.Status, got.Body, c.want)
		}
	}
	for info, want := range map[*dialect.Info]string{
		reranker:   `"model_type":{"reranker":{"id2label":{"0":"LABEL_0"},"label2id":{"LABEL_0":0}}}`,
		classifier: `"model_type":{"classifier":{"id2label":{"0":"a","1":"b","2":"c"},"label2id":{"a":0,"b":1,"c":2}}}`,
	} {
		got := dialecttest.Write(t, func(a *dialect.Answer) { Info().Describe(a, info, &dialect.Stats{}) })
		if !strings.Contains(got.Body, want) {
			t.Errorf("%s, want %s", got.Body, want)
		}
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

func FuzzRerank(f *testing.F) {
	dialecttest.FuzzWith(f, New(), reranker, "/rerank", `{"query":"a","texts":["b"],"return_text":true}`, `{"query":[],"texts":{}}`)
}

func FuzzPredict(f *testing.F) {
	dialecttest.FuzzWith(f, New(), classifier, "/predict", `{"inputs":"a"}`, `{"inputs":["a","b"],"raw_scores":true}`, `{"inputs":[["a"],["b","c"]]}`, `{"inputs":[[],["a","b","c"]]}`)
}

func FuzzSparse(f *testing.F) {
	dialecttest.FuzzWith(f, New(), splade, "/{$}", `{"inputs":["a",[1,2]]}`, `{"inputs":[["a","b"]]}`)
}
