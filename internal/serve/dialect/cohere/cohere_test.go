package cohere

import (
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/quantize"
	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/dialecttest"
)

// wide is a server whose vectors have 8 values.
func wide() *dialect.Info {
	i := dialecttest.Info()
	i.Dim, i.Prompts = 8, []string{"document", "nli", "query"}
	return i
}

func embedAnswer(version, embeddings, texts, tokens, kind string) string {
	return `{"id":"embd-id1","embeddings":` + embeddings + `,"texts":` + texts + `,"meta":{"api_version":{"version":"` + version + `"},
		"billed_units":{"input_tokens":` + tokens + `},"tokens":{"input_tokens":` + tokens + `}},"response_type":"` + kind + `"}`
}

func TestEmbed(t *testing.T) {
	t.Parallel()
	const byType = "embeddings_by_type"
	for _, c := range []struct{ path, body, want string }{
		{"/v2/embed", `{"model":"tiny","texts":["a","b"],"input_type":"search_document"}`,
			embedAnswer("2", `{"float":[[3,4,0],[0,0,1]]}`, `["a","b"]`, "6", byType)},
		{"/v2/embed", `{"texts":["a"],"embedding_types":["base64","float","float"]}`,
			embedAnswer("2", `{"base64":["AABAQAAAgEAAAAAA"],"float":[[3,4,0]]}`, `["a"]`, "3", byType)},
		{"/v2/embed", `{"inputs":[{"content":[{"type":"text","text":"a"}]}]}`,
			embedAnswer("2", `{"float":[[3,4,0]]}`, `["a"]`, "3", byType)},
		{"/v2/embed", `{"texts":["a","b"],"embedding_types":["uint8","int8"]}`, // as NumPy rounds 4/255 and 1/255
			embedAnswer("2", `{"uint8":[[255,254,0],[0,0,254]],"int8":[[127,126,-128],[-128,-128,126]]}`, `["a","b"]`, "6", byType)},
		{"/v1/embed", `{"texts":["a"]}`, embedAnswer("1", `[[3,4,0]]`, `["a"]`, "3", "embeddings_floats")},
		{"/v1/embed", `{"texts":["a"],"embedding_types":["float"]}`, embedAnswer("1", `{"float":[[3,4,0]]}`, `["a"]`, "3", byType)},
	} {
		dialecttest.Expect(t, dialecttest.Exchange(t, New(), c.path, "", c.body), 200, c.want)
	}
}

func TestBits(t *testing.T) {
	t.Parallel()
	r, failed := dialecttest.PostTo(t, New(), wide(), "/v2/embed", "", `{"texts":["a"],"embedding_types":["binary","ubinary"]}`)
	if r == nil {
		t.Fatal(failed)
	}
	result := &dialect.Result{Vectors: [][]float32{{1, -1, 0, 2, 0, 0, 0, 3}}}
	got := dialecttest.Write(t, func(a *dialect.Answer) { r.Encode(a, result) })
	if !strings.Contains(got.Body, `"embeddings":{"binary":[[17]],"ubinary":[[145]]}`) {
		t.Error(got.Body)
	}
}

// TestCalibration: with the server's ranges one text is enough, and they are what
// counts.
func TestCalibration(t *testing.T) {
	t.Parallel()
	info := dialecttest.Info()
	info.Calibrated = true
	r, failed := dialecttest.PostTo(t, New(), info, "/v2/embed", "", `{"texts":["a"],"embedding_types":["uint8"]}`)
	if r == nil || !r.Calibrated {
		t.Fatal(r, failed)
	}
	ranges, err := quantize.RangesOf([][]float32{{0, 0, 0}, {255, 255, 255}})
	if err != nil {
		t.Fatal(err)
	}
	result := &dialect.Result{Vectors: [][]float32{{3, 400, -7}}, Ranges: &ranges}
	got := dialecttest.Write(t, func(a *dialect.Answer) { r.Encode(a, result) })
	if !strings.Contains(got.Body, `"embeddings":{"uint8":[[3,255,0]]}`) {
		t.Error(got.Body)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	post := func(body string) *dialect.Request {
		t.Helper()
		r, failed := dialecttest.PostTo(t, New(), wide(), "/v2/embed", "", body)
		if r == nil {
			t.Fatalf("%s: %+v", body, failed)
		}
		return r
	}
	r := post(`{"texts":["a"],"model":"m","truncate":"START","max_tokens":7,"output_dimension":4,"priority":3}`)
	if r.Model != "m" || r.Truncate != dialect.Yes || !r.TruncateLeft || r.MaxTokens != 7 || r.Dimensions != 4 || r.Normalize != dialect.Yes || r.Calibrated {
		t.Errorf("%+v", r)
	}
	if r = post(`{"texts":["a"],"truncate":"NONE"}`); r.Truncate != dialect.No {
		t.Errorf("%+v", r)
	}
	if r = post(`{"texts":["a"]}`); r.Truncate != dialect.Unset || !r.Truncates || r.TruncateLeft || r.PromptName != "" {
		t.Errorf("%+v", r)
	}
	for inputType, want := range map[string]string{"search_query": "query", "search_document": "document", "classification": "", "clustering": "", "nli": "nli"} {
		if r = post(`{"texts":["a"],"input_type":"` + inputType + `"}`); r.PromptName != want {
			t.Errorf("%s: prompt %q, want %q", inputType, r.PromptName, want)
		}
	}
	if r = post(`{"texts":["a"],"input_type":"search_query","prompt_name":"nli"}`); r.PromptName != "nli" {
		t.Errorf("%+v", r)
	}
}

func TestTruncationIsReported(t *testing.T) {
	t.Parallel()
	r, _ := dialecttest.Post(t, New(), "/v2/embed", "", `{"texts":["a","b"]}`)
	result := dialecttest.Result(r)
	result.Truncated = 1
	got := dialecttest.Write(t, func(a *dialect.Answer) { r.Encode(a, result) })
	if !strings.Contains(got.Body, `"warnings":["1 of the inputs`) {
		t.Error(got.Body)
	}
}

func TestRerank(t *testing.T) {
	t.Parallel()
	info := dialecttest.InfoOf(dialect.Reranker, "LABEL_0")
	body := `{"model":"tiny","query":"q","documents":["x","y"],"top_n":1}`
	got := dialecttest.ExchangeWith(t, New(), info, "/v2/rerank", "", body)
	dialecttest.Expect(t, got, 200, `{"id":"score-id1","model":"tiny","usage":{"prompt_tokens":6,"total_tokens":6},
		"results":[{"index":1,"document":{"text":"y","multi_modal":null},"relevance_score":0.75}],
		"meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1},"tokens":{"input_tokens":6}}}`)
	if r, _ := dialecttest.PostTo(t, New(), info, "/v2/rerank", "", body); !r.Truncates {
		t.Error("Cohere cuts what is too long")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{}`:                                    "exactly one of `texts`, `images` and `inputs`",
		`{"texts":["a"],"images":["b"]}`:        "exactly one of",
		`{"texts":[]}`:                          "`texts` cannot be empty",
		`{"texts":"a"}`:                         "`texts` must be a list of strings",
		`{"texts":["a","b","c","d","e"]}`:       "batch size 5",
		`{"images":["data:image/png;base64,"]}`: "no images",
		`{"inputs":[{"content":[{"type":"image_url"}]}]}`: "`inputs[0].content[0]` must be",
		`{"inputs":[{"content":[]}]}`:                     "`inputs[0].content` must have one text",
		`{"inputs":[{}]}`:                                 "`inputs[0].content` is missing",
		`{"inputs":["a"]}`:                                "`inputs[0]` must be an object",
		`{"texts":["a"],"truncate":"MIDDLE"}`:             "unknown truncate",
		`{"texts":["a"],"embedding_types":["int4"]}`:      `unknown embedding_types[0] \"int4\"`,
		`{"texts":["a"],"embedding_types":"float"}`:       "`embedding_types` must be a list",
		`{"texts":["a"],"embedding_types":["int8"]}`:      "--calibration",
		`{"texts":["a"],"embedding_types":["binary"]}`:    "multiple of 8, it is 3",
		`{"texts":["a"],"output_dimension":0}`:            "`output_dimension` must be",
		`{"texts":["a"],"max_tokens":0}`:                  "`max_tokens` must be",
		`{"texts":["a"],"input_type":"poem"}`:             `unknown input_type \"poem\"`,
		`{"texts":["a"`:                                   "not valid JSON",
	} {
		got := dialecttest.Exchange(t, New(), "/v2/embed", "", body)
		if got.Status != 400 || !strings.HasPrefix(got.Body, `{"message":"`) || !strings.Contains(got.Body, want) || !strings.Contains(got.Body, `,"error":{"message":`) {
			t.Errorf("%s: %d %s, want %q", body, got.Status, got.Body, want)
		}
	}
}

func FuzzEmbed(f *testing.F) {
	dialecttest.FuzzWith(f, New(), wide(), "/v2/embed", `{"texts":["a","b"],"embedding_types":["float","base64","int8"],"input_type":"search_query"}`,
		`{"inputs":[{"content":[{"type":"text","text":"a"}]}],"truncate":"START"}`, `{"texts":["a"],"output_dimension":8,"embedding_types":["ubinary"]}`)
}

func FuzzEmbedV1(f *testing.F) {
	dialecttest.Fuzz(f, New(), "/v1/embed", `{"texts":["a"]}`, `{"texts":["a"],"embedding_types":[]}`)
}

func FuzzRerank(f *testing.F) {
	dialecttest.FuzzWith(f, New(), dialecttest.InfoOf(dialect.Reranker, "x"), "/v2/rerank", `{"query":"q","documents":["a"],"top_n":1}`)
}
