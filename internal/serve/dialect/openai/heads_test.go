package openai

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/dialecttest"
)

var (
	reranker   = dialecttest.InfoOf(dialect.Reranker, "LABEL_0")
	classifier = dialecttest.InfoOf(dialect.Classifier, "a", "b", "c")
)

// framed is an answer with those data.
func framed(prefix, data, tokens string) string {
	return `{"id":"` + prefix + `id1","object":"list","created":1800000000,"model":"tiny","data":[` + data + `],"usage":{"prompt_tokens":` + tokens + `,"total_tokens":` + tokens + `}}`
}

func TestScore(t *testing.T) {
	t.Parallel()
	const byReranker = `{"index":0,"object":"score","score":0.25},{"index":1,"object":"score","score":0.75}`
	for _, body := range []string{
		`{"queries":"q","documents":["x","y"]}`,
		`{"queries":["q"],"items":["x","y"]}`,
		`{"data_1":["q","r"],"data_2":["x","y"]}`,
		`{"text_1":"q","text_2":["x","y"],"model":"tiny","priority":1}`,
	} {
		for _, path := range []string{"/score", "/v1/score"} {
			dialecttest.Expect(t, dialecttest.ExchangeWith(t, New(), reranker, path, "", body), 200, framed("score-", byReranker, "6"))
		}
	}
	// The vectors are (3 4 0), (0 0 1), (0.6 0.8 0): the query's, then the documents'.
	got := dialecttest.Exchange(t, New(), "/score", "", `{"queries":"q","documents":["x","y"]}`)
	dialecttest.Expect(t, got, 200, framed("score-", `{"index":0,"object":"score","score":0},{"index":1,"object":"score","score":1}`, "9"))
	// Two and two: q with x, r with y.
	got = dialecttest.Exchange(t, New(), "/score", "", `{"queries":["q","r"],"documents":["x","y"]}`)
	dialecttest.Expect(t, got, 200, framed("score-", `{"index":0,"object":"score","score":1},{"index":1,"object":"score","score":0}`, "12"))
}

func TestScorePairs(t *testing.T) {
	t.Parallel()
	r, _ := dialecttest.PostTo(t, New(), reranker, "/score", "", `{"data_1":["q","r"],"data_2":["x","y"],"max_tokens_per_query":2,"max_tokens_per_doc":3,"use_activation":false,"truncate_prompt_tokens":-1,"truncation_side":"left"}`)
	one, two := r.Inputs[0], r.Inputs[1]
	if one.Text != "q" || *one.Second != "x" || two.Text != "r" || *two.Second != "y" || one.Keep != 2 || one.KeepSecond != 3 {
		t.Errorf("%+v", r.Inputs)
	}
	if r.Want != dialect.Scores || r.Activation != dialect.Logits || r.Truncate != dialect.Yes || !r.TruncateLeft {
		t.Errorf("%+v", r)
	}
	if r, _ = dialecttest.PostTo(t, New(), reranker, "/score", "", `{"data_1":"q","data_2":"x"}`); r.Activation != dialect.ModelsOwn || r.Truncate != dialect.Unset {
		t.Errorf("%+v", r)
	}
}

// TestSidesHaveTheirPrompts: an embedding model gets its own prompts for queries
// and documents, unless the request has one.
func TestSidesHaveTheirPrompts(t *testing.T) {
	t.Parallel()
	info := dialecttest.Info()
	info.Prompts = []string{"passage", "query"}
	r, _ := dialecttest.PostTo(t, New(), info, "/rerank", "", `{"query":"q","documents":["x"],"max_tokens_per_doc":3}`)
	if r.Inputs[0].PromptName != "query" || r.Inputs[1].PromptName != "passage" || r.Inputs[0].Keep != 0 || r.Inputs[1].Keep != 3 {
		t.Errorf("%+v", r.Inputs)
	}
	r, _ = dialecttest.PostTo(t, New(), info, "/rerank", "", `{"query":"q","documents":["x"],"prompt":"find: "}`)
	if r.Inputs[0].PromptName != "" || r.Inputs[1].PromptName != "" || r.Prompt != "find: " {
		t.Errorf("%+v", r)
	}
}

func TestRerank(t *testing.T) {
	t.Parallel()
	const best = `{"index":1,"document":{"text":"y","multi_modal":null},"relevance_score":0.75}`
	answer := func(results string) string {
		return `{"id":"score-id1","model":"tiny","usage":{"prompt_tokens":12,"total_tokens":12},"results":[` + results + `]}`
	}
	for _, path := range []string{"/rerank", "/v1/rerank"} {
		got := dialecttest.ExchangeWith(t, New(), reranker, path, "", `{"query":"q","documents":["x","y","z","w"],"top_n":1}`)
		dialecttest.Expect(t, got, 200, answer(best))
	}
	got := dialecttest.ExchangeWith(t, New(), reranker, "/rerank", "", `{"query":"q","documents":["x",{"text":"y"},"z","w"],"return_documents":false}`)
	dialecttest.Expect(t, got, 200, answer(`{"index":1,"relevance_score":0.75},{"index":2,"relevance_score":0.5},{"index":0,"relevance_score":0.25},{"index":3,"relevance_score":0.25}`))
}

func TestClassify(t *testing.T) {
	t.Parallel()
	got := dialecttest.ExchangeWith(t, New(), classifier, "/classify", "", `{"input":["a",[1,2]]}`)
	dialecttest.Expect(t, got, 200, framed("classify-", `{"index":0,"label":"b","probs":[0.25,0.75,0.5],"num_classes":3},{"index":1,"label":"a","probs":[0.75,0.5,0.25],"num_classes":3}`, "6"))
	if r, _ := dialecttest.PostTo(t, New(), classifier, "/classify", "", `{"input":"a","use_activation":false}`); r.Activation != dialect.Logits {
		t.Errorf("%+v", r)
	}
}

func TestPooling(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"input":"a"}`:                      `[3,4,0]`,
		`{"input":"a","task":"embed"}`:       `[3,4,0]`,
		`{"input":"a","task":"token_embed"}`: `[[3,4,0],[3,4,0]]`,
		`{"input":"a","task":"token_embed","encoding_format":"base64","embed_dtype":"float16"}`: `"AEIARAAAAEIARAAA"`,
	} {
		got := dialecttest.Exchange(t, New(), "/pooling", "", body)
		dialecttest.Expect(t, got, 200, framed("pooling-", `{"index":0,"object":"pooling","data":`+want+`}`, "3"))
	}
	got := dialecttest.ExchangeWith(t, New(), classifier, "/pooling", "", `{"input":"a"}`)
	dialecttest.Expect(t, got, 200, framed("pooling-", `{"index":0,"object":"pooling","data":[0.25,0.75,0.5]}`, "3"))
	got = dialecttest.Exchange(t, New(), "/pooling", "", `{"input":["a","b"],"task":"token_embed","encoding_format":"bytes","embed_dtype":"fp8_e4m3"}`)
	if got.Body != "\x44\x48\x00\x44\x48\x00\x00\x00\x38\x00\x00\x38" {
		t.Errorf("% x", got.Body)
	}
	var meta struct {
		Data []struct {
			Index, Start, End int
			DType             string `json:"embed_dtype"`
			Shape             []int
		}
	}
	if err := json.Unmarshal([]byte(got.Header["Metadata"]), &meta); err != nil {
		t.Fatal(err)
	}
	if last := meta.Data[1]; last.Start != 6 || last.End != 12 || last.DType != "fp8_e4m3" || len(last.Shape) != 2 || last.Shape[0] != 2 || last.Shape[1] != 3 {
		t.Errorf("%+v", meta)
	}
}

func TestTokenizeAndDetokenize(t *testing.T) {
	t.Parallel()
	got := dialecttest.Exchange(t, New(), "/tokenize", "", `{"prompt":"a"}`)
	dialecttest.Expect(t, got, 200, `{"count":2,"max_model_len":16,"tokens":[2,9],"token_strs":null}`)
	got = dialecttest.Exchange(t, New(), "/tokenize", "", `{"prompt":"a","return_token_strs":true}`)
	dialecttest.Expect(t, got, 200, `{"count":2,"max_model_len":16,"tokens":[2,9],"token_strs":["[CLS]","h"]}`)
	for _, body := range []string{`{"tokens":[2,9]}`, `{"tokens":[]}`} {
		dialecttest.Expect(t, dialecttest.Exchange(t, New(), "/detokenize", "", body), 200, `{"prompt":"hé"}`)
	}
	if r, _ := dialecttest.Post(t, New(), "/detokenize", "", `{"tokens":[2]}`); r.SkipSpecial {
		t.Error("vLLM keeps special tokens")
	}
}

func TestHeadRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		info             *dialect.Info
		path, body, want string
	}{
		{classifier, "/v1/embeddings", `{"input":"a"}`, "not an embedding model"},
		{classifier, "/pooling", `{"input":"a","task":"embed"}`, "not an embedding model"},
		{classifier, "/score", `{"queries":"q","documents":"d"}`, "neither score pairs"},
		{classifier, "/rerank", `{"query":"q","documents":["d"]}`, "neither score pairs"},
		{dialecttest.Info(), "/classify", `{"input":"a"}`, "not a classifier model"},
		{dialecttest.Info(), "/pooling", `{"input":"a","task":"classify"}`, "not a classifier model"},
		{dialecttest.Info(), "/pooling", `{"input":"a","dimensions":2}`, "ask /v1/embeddings"},
		{dialecttest.Info(), "/pooling", `{"input":"a","task":"plugin"}`, "unknown task"},
		{reranker, "/score", `{"queries":["q","r"],"documents":["d"]}`, "1:1, 1:N or N:N"},
		{reranker, "/score", `{"queries":[],"documents":["d"]}`, "`queries` cannot be empty"},
		{reranker, "/score", `{"text_1":"q","text_2":[]}`, "`text_2` cannot be empty"},
		{reranker, "/score", `{"text_1":"q"}`, "`text_2` is missing"},
		{reranker, "/score", `{}`, "`queries` is missing"},
		{reranker, "/score", `{"queries":"q","documents":["a","b","c","d","e"]}`, "batch size 5"},
		{reranker, "/score", `{"queries":"q","documents":"d","max_tokens_per_doc":-1}`, "`max_tokens_per_doc` must be"},
		{reranker, "/rerank", `{"documents":["d"]}`, "`query` is missing"},
		{reranker, "/rerank", `{"query":"q","documents":[]}`, "`documents` cannot be empty"},
		{reranker, "/rerank", `{"query":"q","documents":[{"content":"d"}]}`, "`documents[0].text` is missing"},
		{reranker, "/rerank", `{"query":"q","documents":[7]}`, "`documents[0]` must be a string"},
		{reranker, "/rerank", `{"query":"q","documents":["d"],"top_n":-1}`, "`top_n` must be"},
		{dialecttest.Info(), "/tokenize", `{}`, "`prompt` is missing"},
		{dialecttest.Info(), "/tokenize", `{"messages":[]}`, "chat messages"},
		{dialecttest.Info(), "/detokenize", `{"tokens":"a"}`, "`tokens` must be"},
	} {
		got := dialecttest.ExchangeWith(t, New(), c.info, c.path, "", c.body)
		if got.Status != 400 || !strings.Contains(got.Body, c.want) || !strings.HasPrefix(got.Body, `{"error":{"message":`) {
			t.Errorf("%s %s: %d %s, want %q", c.path, c.body, got.Status, got.Body, c.want)
		}
	}
}

func FuzzScore(f *testing.F) {
	dialecttest.FuzzWith(f, New(), reranker, "/score", `{"queries":"q","documents":["x","y"]}`, `{"text_1":["a"],"text_2":"b","max_tokens_per_doc":3}`, `{"data_1":[],"data_2":{}}`)
}

func FuzzRerank(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/rerank", `{"query":"q","documents":["x",{"text":"y"}],"top_n":1}`, `{"query":"q","documents":"x"}`, `{"query":1,"documents":[{"text":1}]}`)
}

func FuzzClassify(f *testing.F) {
	dialecttest.FuzzWith(f, New(), classifier, "/classify", `{"input":["a",[1]]}`, `{"input":[1,2],"use_activation":false}`)
}

func FuzzPooling(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/pooling", `{"input":"a","task":"token_embed","encoding_format":"base64","embed_dtype":"bfloat16"}`, `{"input":["a"],"encoding_format":"bytes"}`)
}

func FuzzTokenize(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/tokenize", `{"prompt":"a","return_token_strs":true}`, `{"messages":[]}`)
}

func FuzzDetokenize(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/detokenize", `{"tokens":[1,2]}`, `{"tokens":[]}`, `{"tokens":[[1],"a"]}`)
}
