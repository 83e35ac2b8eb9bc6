package serve

import (
	"math"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/serve/dialect"
)

type prediction struct {
	Score float32
	Label string
}

type rank struct {
	Index int
	Score float32
	Text  string
}

// TestRerankScores: a pair's tokens reach the engine, and its logit comes back as
// the sigmoid or as it is. "a b" and "c" make [CLS] a b [SEP] c [SEP].
func TestRerankScores(t *testing.T) {
	t.Parallel()
	s := newServerOf(t, "tei", tinyClassifier(t, "LABEL_0"), Options{})
	got := decoded[[]rank](t, ask(s, post, "/rerank", `{"query":"a b","texts":["c","c d e","a"],"raw_scores":true}`))
	want := []rank{{Index: 1, Score: 1}, {Index: 2}, {Index: 0}}
	for i := range want {
		if len(got) != len(want) || got[i] != want[i] {
			t.Fatalf("%v, want %v", got, want)
		}
	}
	w := ask(s, post, "/rerank", `{"query":"a b","texts":["c d e"],"return_text":true}`)
	one := decoded[[]rank](t, w)[0]
	if d := float64(one.Score) - 1/(1+math.Exp(-1)); math.Abs(d) > 1e-6 || one.Text != "c d e" {
		t.Errorf("%+v, want the sigmoid of 1", one)
	}
	if n := w.Header().Get("X-Compute-Tokens"); n != "8" {
		t.Errorf("%s tokens", n)
	}
	if n := w.Header().Get("X-Compute-Characters"); n != "8" {
		t.Errorf("%s characters", n)
	}
}

func TestPredictions(t *testing.T) {
	t.Parallel()
	s := newServerOf(t, "tei", tinyClassifier(t, "x", "y", "z"), Options{})
	got := decoded[[]prediction](t, ask(s, post, "/predict", `{"inputs":["a b c","d"]}`)) // 7 tokens: logits 1/2, 1, 3/2
	var sum float64
	for i, label := range []string{"z", "y", "x"} {
		p := math.Exp(float64(3-i)/2) / (math.Exp(0.5) + math.Exp(1) + math.Exp(1.5))
		sum += float64(got[i].Score)
		if got[i].Label != label || math.Abs(float64(got[i].Score)-p) > 1e-6 {
			t.Errorf("%v: place %d is not %s with %g", got, i, label, p)
		}
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("they add up to %g", sum)
	}
	several := decoded[[][]prediction](t, ask(s, post, "/predict", `{"inputs":[["a"],["a b c","d"]],"raw_scores":true}`))
	if len(several) != 2 || several[0][0].Score != -1.5 || several[1][0] != (prediction{1.5, "z"}) {
		t.Errorf("%v", several)
	}
}

// TestActivations holds each way from logits to scores.
func TestActivations(t *testing.T) {
	t.Parallel()
	one, several := tinyClassifier(t, "x"), tinyClassifier(t, "x", "y")
	for _, c := range []struct {
		model      Model
		activation dialect.Activation
		want       []float32
	}{
		{one, dialect.Logits, []float32{1}},
		{one, dialect.Probability, []float32{0.7310586}},
		{one, dialect.ModelsOwn, []float32{0.7310586}},
		{several, dialect.Logits, []float32{1, 2}},
		{several, dialect.Probability, []float32{0.26894143, 0.7310586}},
		{several, dialect.ModelsOwn, []float32{0.26894143, 0.7310586}}, // it names none
	} {
		j := newJob(&hosted{Model: c.model}, &dialect.Request{Activation: c.activation})
		got := []float32{1, 2}[:len(c.want)]
		if err := j.activate(got); err != nil || !near(got, c.want) {
			t.Errorf("%v of %d: %v, %v; want %v", c.activation, len(c.want), got, err, c.want)
		}
	}
	huge := []float32{1000, 0, -1000}
	if softmax(huge); !near(huge, []float32{1, 0, 0}) {
		t.Errorf("%v", huge)
	}
}

// TestHeadsInEveryDialect: a request that the model has no head for is refused
// before any arithmetic, in the words of its dialect.
func TestHeadsInEveryDialect(t *testing.T) {
	t.Parallel()
	m := tinyClassifier(t, "LABEL_0")
	s := newServerOf(t, "", m, Options{})
	for path, c := range map[string]struct {
		body   string
		status int
	}{
		"/embeddings":    {`["a"]`, 400},
		"/v1/embeddings": {`{"input":"a"}`, 400},
		"/embed":         {`{"inputs":"a"}`, 424},
		"/search":        {`{"query":"a","corpus":["b"]}`, 400},
		"/embed_all":     {`{"inputs":"a"}`, 424},
	} {
		wantStatus(t, ask(s, post, path, c.body), c.status, "not an embedding model")
	}
	if n := m.Runner.(*fakeRunner).calls.Load(); n != 0 {
		t.Errorf("the engine was asked %d times", n)
	}
	wantStatus(t, ask(newServer(t, "", &fakeRunner{}, Options{}), post, "/predict", `{"inputs":"a"}`), 424, "not a classifier")
}

// TestPairTooLong: a pair is cut or refused like a text.
func TestPairTooLong(t *testing.T) {
	t.Parallel()
	s := newServerOf(t, "tei", tinyClassifier(t, "LABEL_0"), Options{})
	long := strings.Repeat("a ", 40)
	w := ask(s, post, "/rerank", `{"query":"a","texts":["`+long+`","b"]}`)
	if wantStatus(t, w, 200, "score"); w.Header().Get("X-Truncated-Inputs") != "1" {
		t.Errorf("%v", w.Header())
	}
	wantStatus(t, ask(s, post, "/rerank", `{"query":"a","texts":["b","`+long+`"],"truncate":false}`), 422, "input 1 of 2")
}

// TestPromptsReachTheEngine: a prompt of the request's own, of an input's own, and of
// a side, each by the number of its tokens.
func TestPromptsReachTheEngine(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{})
	tokens := func(path, body string) int {
		t.Helper()
		w := ask(s, post, path, body)
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", body, w.Code, w.Body)
		}
		usage := decoded[struct {
			Usage struct {
				Tokens int `json:"total_tokens"`
			}
		}](t, w).Usage.Tokens
		return usage
	}
	plain := tokens("/v1/embeddings", `{"input":"a"}`) // [CLS] a [SEP]
	if own := tokens("/v1/embeddings", `{"input":"a","prompt":"b c "}`); own != plain+2 {
		t.Errorf("a prompt of two tokens: %d, without %d", own, plain)
	}
	named := tokens("/v1/embeddings", `{"input":"a","prompt_name":"query"}`)
	if named <= plain {
		t.Errorf("the model's prompt: %d, without %d", named, plain)
	}
	// The model has a prompt for queries and none for documents.
	if got, want := tokens("/rerank", `{"query":"a","documents":["b","c"]}`), named+2*plain; got != want {
		t.Errorf("the query's side alone: %d, want %d", got, want)
	}
	if got, want := tokens("/rerank", `{"query":"a","documents":["b","c"],"prompt":"b "}`), 3*(plain+1); got != want {
		t.Errorf("the request's own: %d, want %d", got, want)
	}
	const known = `there is no prompt named \"nobody\". Available prompts: [\"query\"]`
	wantStatus(t, ask(s, post, "/search", `{"query":"a","corpus":["b"],"prompt_name":"nobody"}`), 400, known)
	wantStatus(t, ask(s, post, "/tokenize", `{"inputs":"a","prompt_name":"nobody"}`), 422, known)
	wantStatus(t, ask(s, post, "/search", `{"query":"a","corpus":["b"],"prompt_name":"query"}`), 200, "results")
}

// TestCutToTokens: a text is cut between two of its tokens and nowhere else.
func TestCutToTokens(t *testing.T) {
	t.Parallel()
	tok := tinyPipeline(t).Tokenizer()
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"a b c", 0, "a b c"}, {"a b c", 3, "a b c"}, {"a b c", 2, "a b"}, {"a b c", 1, "a"}, {"", 1, ""}, {"  a  ", 1, "  a  "},
	} {
		got, cut := cutToTokens(tok, c.text, c.n)
		if got != c.want || cut != (got != c.text) {
			t.Errorf("%q to %d tokens: %q, %v; want %q", c.text, c.n, got, cut, c.want)
		}
	}
}

func FuzzCutToTokens(f *testing.F) {
	tok := tinyPipeline(f).Tokenizer()
	for _, text := range []string{"a b c", "Café naïve", "今天天气", "\xff\xfe a", "antidisestablishment"} {
		f.Add(text, 2)
	}
	f.Fuzz(func(t *testing.T, text string, n int) {
		got, cut := cutToTokens(tok, text, n)
		if !strings.HasPrefix(text, got) || cut != (got != text) {
			t.Fatalf("%q to %d tokens: %q, %v", text, n, got, cut)
		}
		if tokens := len(tokensOf(tok, got, false)); n > 0 && tokens > n {
			t.Fatalf("%q to %d tokens: %q has %d", text, n, got, tokens)
		}
	})
}
