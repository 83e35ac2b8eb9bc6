package fastapi

import (
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/dialecttest"
)

const embedded = `{"embeddings":[[3,4,0],[0,0,1]],"model":"tiny","embedding_dim":3,"num_embeddings":2,"processing_time_ms":35,
	"batch_size":2,"total_batch_texts":5,"normalized":true}`

func TestEmbeddingsForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ query, body, want string }{
		"object":          {"", `{"texts":["a","b"],"unknown":[1]}`, embedded},
		"bare list":       {"", `["a","b"]`, embedded},
		"one string":      {"", `{"texts":"a"}`, `{"embeddings":[[3,4,0]],"model":"tiny","embedding_dim":3,"num_embeddings":1,"processing_time_ms":35,"batch_size":2,"total_batch_texts":5,"normalized":true}`},
		"bare, query":     {"normalize=false&use_batching=no", `"a"`, `{"embeddings":[[3,4,0]],"model":"tiny","embedding_dim":3,"num_embeddings":1,"processing_time_ms":35,"normalized":false}`},
		"body over query": {"normalize=false", `{"texts":["a","b"],"normalize":true}`, embedded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dialecttest.Expect(t, dialecttest.Exchange(t, New(), "/embeddings", c.query, c.body), 200, c.want)
		})
	}
}

// TestNormalizeIsTheRequests: the choice travels with the request.
func TestNormalizeIsTheRequests(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]dialect.Choice{`{"texts":"a"}`: dialect.Yes, `{"texts":"a","normalize":false}`: dialect.No, `{"texts":"a","normalize":null}`: dialect.Yes} {
		r, failed := dialecttest.Post(t, New(), "/embeddings", "", body)
		if r == nil || r.Normalize != want || r.Direct {
			t.Errorf("%s: %+v %+v", body, r, failed)
		}
	}
	if r, _ := dialecttest.Post(t, New(), "/embeddings", "use_batching=false", `["a"]`); !r.Direct {
		t.Error("use_batching=false must compute the request by itself")
	}
}

func TestEmbeddingsRefuses(t *testing.T) {
	t.Parallel()
	five := `["a","b","c","d","e"]`
	for _, c := range []struct {
		path, query, body string
		status            int
		want              string
	}{
		{"/embeddings", "", `{}`, 422, `{"detail":[{"type":"missing","loc":["body","texts"],"msg":"` + "`texts` is missing" + `"}]}`},
		{"/embeddings", "", `{"texts":["a",3]}`, 422, `{"detail":[{"type":"type_error","loc":["body","texts",1],"msg":"` + "`texts[1]` must be a string, is a number" + `"}]}`},
		{"/embeddings", "", `{"texts":7}`, 422, `{"detail":[{"type":"type_error","loc":["body","texts"],"msg":"` + "`texts` must be a string or a list of strings, is a number" + `"}]}`},
		{"/embeddings", "normalize=maybe", `["a"]`, 422, `{"detail":[{"type":"type_error","loc":["query","normalize"],"msg":"` + "`normalize` must be true or false, is \\\"maybe\\\"" + `"}]}`},
		{"/embeddings", "", `{"texts":[]}`, 400, `{"detail":"` + "`texts` cannot be empty" + `"}`},
		{"/embeddings", "", five, 400, `{"detail":"batch size 5 > maximum allowed batch size 4"}`},
		{"/embeddings/batch", "", five, 400, `{"detail":"Batch size too large. Max: 4, given: 5"}`},
		{"/similarity", "", `{"texts1":["a"],"texts2":["b"],"method":"manhattan"}`, 400, `{"detail":"unknown method \"manhattan\": it must be one of [\"cosine\" \"euclidean\" \"dot\"]"}`},
		{"/similarity", "", `{"texts1":["a"],"texts2":[]}`, 400, `{"detail":"` + "`texts1` and `texts2` cannot be empty: they have 1 and 0 texts" + `"}`},
		{"/search", "", `["a"]`, 422, `{"detail":[{"type":"missing","loc":["body","query"],"msg":"` + "`query` is missing" + `"}]}`},
		{"/search", "query=q&top_k=0", `["a"]`, 400, `{"detail":"` + "`top_k` must be at least 1, is 0" + `"}`},
		{"/search", "query=q", `[` + strings.Repeat(`"a",`, corpusTexts) + `"a"]`, 400, `{"detail":"Corpus too large for real-time search. Max: 10,000 texts, given: 10001"}`},
	} {
		dialecttest.Expect(t, dialecttest.Exchange(t, New(), c.path, c.query, c.body), c.status, c.want)
	}
	if got := dialecttest.Exchange(t, New(), "/embeddings", "", `{"texts":`); got.Status != 422 || !strings.Contains(got.Body, `"type":"json_invalid"`) {
		t.Errorf("broken JSON: %+v", got)
	}
}

func TestSimilarity(t *testing.T) {
	t.Parallel()
	// The vectors are (3 4 0); (0 0 1), (0.6 0.8 0): not of length 1, and a cosine all the same.
	for method, want := range map[string]string{"cosine": `[0,1]`, "dot": `[0,5]`, "euclidean": `[0.16396078,0.2]`} {
		got := dialecttest.Exchange(t, New(), "/similarity", "method="+method, `{"texts1":["a"],"texts2":["b","c"],"normalize":false}`)
		dialecttest.Expect(t, got, 200, `{"similarities":[`+want+`],"method":"`+method+`","shape":[1,2],"texts1_count":1,"texts2_count":2}`)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	got := dialecttest.Exchange(t, New(), "/search", "", `{"query":"q\u0000","corpus":["x","y"],"top_k":5}`)
	dialecttest.Expect(t, got, 200, `{"query":"q\u0000","results":[{"text":"y","similarity":1,"index":1},{"text":"x","similarity":0,"index":0}],
		"search_time_ms":35,"corpus_size":2,"similarity_method":"cosine"}`)
	got = dialecttest.Exchange(t, New(), "/search", "query=q&top_k=1&similarity_method=dot", `["x","y"]`)
	dialecttest.Expect(t, got, 200, `{"query":"q","results":[{"text":"y","similarity":5,"index":1}],
		"search_time_ms":35,"corpus_size":2,"similarity_method":"dot"}`)
}

func TestHealthAndStats(t *testing.T) {
	t.Parallel()
	const stats = `"model_name":"tiny","device":"cpu","processed_batches":4,"total_embeddings":10,"avg_batch_size":2.5,"queue_size":3,"max_batch_size":2,"target_batch_size":1}`
	dialecttest.Expect(t, dialecttest.Get(t, New(), "/health", true), 200, `{"status":"healthy",`+stats)
	dialecttest.Expect(t, dialecttest.Get(t, New(), "/health", false), 503, `{"status":"unavailable",`+stats)
	dialecttest.Expect(t, dialecttest.Get(t, New(), "/stats", true), 200, `{`+stats)
}

// TestPrompts: of the body, or of the URL.
func TestPrompts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, query, body string }{
		{"/embeddings", "prompt_name=query", `["a"]`},
		{"/embeddings/batch", "", `{"texts":["a"],"prompt_name":"query"}`},
		{"/similarity", "", `{"texts1":["a"],"texts2":["b"],"prompt_name":"query"}`},
	} {
		if r, failed := dialecttest.Post(t, New(), c.path, c.query, c.body); r == nil || r.PromptName != "query" || r.Prompt != "" {
			t.Errorf("%s: %+v, %+v", c.path, r, failed)
		}
	}
	r, _ := dialecttest.Post(t, New(), "/search", "query=q&prompt_name=query", `["x"]`)
	if r.PromptName != "" || r.Inputs[0].PromptName != "query" || r.Inputs[1].PromptName != "" {
		t.Errorf("a search's prompt is the query's: %+v", r)
	}
	if r, _ := dialecttest.Post(t, New(), "/embeddings", "", `{"texts":"a","prompt":"find: "}`); r.Prompt != "find: " {
		t.Errorf("%+v", r)
	}
}

func FuzzEmbeddings(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/embeddings", `{"texts":["a"],"normalize":false}`, `["a"]`, `"a"`, `{"texts":"\ud800"}`, `{"texts":[1]}`, `null`)
}

func FuzzSimilarity(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/similarity", `{"texts1":["a"],"texts2":["b"],"method":"dot"}`, `{"texts1":[],"texts2":3}`)
}

func FuzzSearch(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/search", `{"query":"q","corpus":["a","b"],"top_k":1}`, `{"query":"q","corpus":["a"],"top_k":-1e9}`)
}
