package serve

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paceline/paceline/internal/model"
)

// TestNormalizeIsPerRequest puts requests that want different things into one
// batch: each gets its own.
func TestNormalizeIsPerRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &fakeRunner{proceed: make(chan struct{})}
		s := newServer(t, "", r, Options{})
		answers := make(map[string]*embeddings)
		for _, body := range []string{`["first"]`, `{"texts":["a b"],"normalize":true}`, `{"texts":["a b"],"normalize":false}`} {
			got := new(embeddings)
			answers[body] = got
			go func() { *got = decoded[embeddings](t, ask(s, post, "/embeddings", body)) }()
			synctest.Wait() // the engine is busy with the first: the others will travel together
		}
		close(r.proceed)
		synctest.Wait()
		yes, no := answers[`{"texts":["a b"],"normalize":true}`], answers[`{"texts":["a b"],"normalize":false}`]
		if yes.BatchSize != 2 || no.BatchSize != 2 {
			t.Fatalf("they travelled in batches of %d and %d requests: the test shows nothing", yes.BatchSize, no.BatchSize)
		}
		plain := []float32{4, no.Embeddings[0][1], 1, 2} // [CLS] a b [SEP], and the sum of their ids
		if !near(no.Embeddings[0], plain) || no.Normalized {
			t.Errorf("normalize=false: %v, want %v", no.Embeddings[0], plain)
		}
		if !near(yes.Embeddings[0], unit(plain)) || !yes.Normalized {
			t.Errorf("normalize=true: %v, want %v", yes.Embeddings[0], unit(plain))
		}
	})
}

// TestDirectDoesNotWait: use_batching=false goes past the window in which others
// gather.
func TestDirectDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, "fastapi", &fakeRunner{}, Options{})
		took := func(body string) time.Duration {
			began := time.Now()
			wantStatus(t, ask(s, post, "/embeddings", body), 200, "embeddings")
			return time.Since(began)
		}
		if d := took(`{"texts":["a"],"use_batching":true}`); d == 0 {
			t.Error("a batched request must wait for its window: the test shows nothing")
		}
		if d := took(`{"texts":["a"],"use_batching":false}`); d != 0 {
			t.Errorf("a direct request waited %v", d)
		}
	})
}

func TestOptionsReachThePipeline(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{})
	vector := func(body string) []float32 {
		t.Helper()
		return decoded[[][]float32](t, ask(s, post, "/embed", body))[0]
	}
	plain := vector(`{"inputs":"a b c","normalize":false}`)
	if plain[0] != 5 { // [CLS] a b c [SEP]
		t.Fatalf("%v", plain)
	}
	if got := vector(`{"inputs":"a b c","normalize":false,"dimensions":2}`); !near(got, plain[:2]) {
		t.Errorf("cut: %v", got)
	}
	if got := vector(`{"inputs":"a b c","dimensions":2}`); !near(got, unit(plain[:2])) {
		t.Errorf("cut and scaled: %v, want %v", got, unit(plain[:2]))
	}
	if got := vector(`{"inputs":"a b c","normalize":false,"prompt_name":"query"}`); got[0] <= plain[0] {
		t.Errorf("with a prompt: %v", got)
	}
	if got := vector(`{"inputs":[2,5,3],"normalize":false}`); !near(got, fakeVector([]int32{2, 5, 3})) {
		t.Errorf("ids: %v", got)
	}
	ids := `[11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27]` // one too many
	if right, left := vector(`{"inputs":`+ids+`,"normalize":false}`), vector(`{"inputs":`+ids+`,"normalize":false,"truncation_direction":"Left"}`); right[1] != 296 || left[1] != 312 {
		t.Errorf("cut at the right: %v, at the left: %v", right, left)
	}
	long := strings.Repeat("a ", 100)
	if got := vector(`{"inputs":"` + long + `","normalize":false}`); got[0] != 16 {
		t.Errorf("cut to 16 tokens: %v", got)
	}
	w := ask(s, post, "/embed", `{"inputs":["a","`+long+`"],"normalize":false}`)
	if got := w.Header().Get("X-Truncated-Inputs"); got != "1" {
		t.Errorf("X-Truncated-Inputs: %q", got)
	}
}

func TestWhatThePipelineRefuses(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{})
	long := strings.Repeat("a ", 100)
	for _, c := range []struct {
		path, body string
		status     int
		text       string
	}{
		{"/embed", `{"inputs":["a","` + long + `"],"truncate":false}`, 422, "input 1 of 2: the text has 102 tokens and the limit is 16"},
		{"/embed", `{"inputs":"a","prompt_name":"document"}`, 422, `no prompt named \"document\". Available prompts: [\"query\"]`},
		{"/embed", `{"inputs":[2,99999,3]}`, 422, "token id 99999 at index 1"},
		{"/embed", `{"inputs":"a","dimensions":5}`, 422, "dimensions is 5; the model gives 1 to 4"},
		{"/v1/embeddings", `{"input":"a","dimensions":5}`, 400, `"param":"dimensions"`},
		{"/v1/embeddings", `{"input":"a","model":"gpt"}`, 404, `"code":"model_not_found"`},
		{"/decode", `{"ids":[99999]}`, 422, "token id 99999"},
		{"/tokenize", `{"inputs":"a","prompt_name":"document"}`, 422, "no prompt named"},
	} {
		wantStatus(t, ask(s, post, c.path, c.body), c.status, c.text)
	}
	for _, name := range []string{"org/tiny", "tiny"} {
		wantStatus(t, ask(s, post, "/v1/embeddings", `{"input":"a","model":"`+name+`"}`), 200, `"model":"org/tiny"`)
	}
}

// TestVLLMDoesNotTruncate: there the default is to refuse, and -1 is to cut.
func TestVLLMDoesNotTruncate(t *testing.T) {
	t.Parallel()
	s := newServer(t, "vllm", &fakeRunner{}, Options{})
	long := strings.Repeat("a ", 100)
	wantStatus(t, ask(s, post, "/v1/embeddings", `{"input":"`+long+`"}`), 400, `"code":"context_length_exceeded"`)
	wantStatus(t, ask(s, post, "/v1/embeddings", `{"input":"`+long+`","truncate_prompt_tokens":-1}`), 200, `"prompt_tokens":16`)
	wantStatus(t, ask(s, post, "/v1/embeddings", `{"input":"`+long+`","truncate_prompt_tokens":5}`), 200, `"prompt_tokens":5`)
}

func TestTokenize(t *testing.T) {
	t.Parallel()
	s := newServer(t, "tei", &fakeRunner{}, Options{})
	type tokens [][]struct {
		ID          int32
		Text        string
		Special     bool
		Start, Stop *int
	}
	got := decoded[tokens](t, ask(s, post, "/tokenize", `{"inputs":["a é"]}`))[0]
	if len(got) != 4 || !got[0].Special || got[0].Text != "[CLS]" || got[0].Start != nil {
		t.Fatalf("%+v", got)
	}
	if got[2].Text != "é" || *got[2].Start != 2 || *got[2].Stop != 4 {
		t.Errorf("offsets are bytes of the text: %+v", got[2])
	}
	if got := decoded[tokens](t, ask(s, post, "/tokenize", `{"inputs":"a","add_special_tokens":false}`))[0]; len(got) != 1 {
		t.Errorf("%+v", got)
	}
	if got := decoded[tokens](t, ask(s, post, "/tokenize", `{"inputs":"a","prompt_name":"query"}`))[0]; len(got) <= 3 {
		t.Errorf("%+v", got)
	}
}

// TestDefaultPrompt goes before inputs whose request names none.
func TestDefaultPrompt(t *testing.T) {
	t.Parallel()
	first := func(s *Server, body string) float32 {
		return decoded[[][]float32](t, ask(s, post, "/embed", body))[0][0]
	}
	plain := newServer(t, "tei", &fakeRunner{}, Options{})
	prompted := newServer(t, "tei", &fakeRunner{}, Options{PromptName: "query"})
	if a, b := first(plain, `{"inputs":"a","normalize":false}`), first(prompted, `{"inputs":"a","normalize":false}`); b <= a {
		t.Errorf("%v tokens without and %v with a default prompt", a, b)
	}
	p, _ := ProfileNamed("tei")
	if err := New(p, Options{PromptName: "document"}).Load(tinyModel(t, &fakeRunner{})); err == nil || !strings.Contains(err.Error(), "query") {
		t.Errorf("%v: the error must name the prompts there are", err)
	}
}

func TestServerTimingAndRequestID(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{})
	w := ask(s, post, "/embeddings", `["a"]`, "X-Request-Id", "mine")
	timing := w.Header().Get("Server-Timing")
	for _, name := range []string{"tokenise;dur=", "queue;dur=", "inference;dur=", "serialise;dur="} {
		if !strings.Contains(timing, name) {
			t.Errorf("Server-Timing %q has no %s", timing, name)
		}
	}
	if got := w.Header().Get("X-Request-Id"); got != "mine" {
		t.Errorf("X-Request-Id %q", got)
	}
	if got := ask(s, post, "/embeddings", `["a"]`, "X-Request-Id", "no\nway").Header().Get("X-Request-Id"); len(got) != 32 {
		t.Errorf("X-Request-Id %q: one with control characters is not taken over", got)
	}
}

// TestOneFailsAlone: an engine that fails or panics on one text leaves the
// others' requests alone, and the server alive.
func TestOneFailsAlone(t *testing.T) {
	t.Parallel()
	r := &fakeRunner{fail: func(b *model.Batch) error {
		for i := range b.Len() {
			switch len(b.Sequence(i)) {
			case 5:
				return errors.New("no")
			case 6:
				panic("six")
			}
		}
		return nil
	}}
	s := newServer(t, "", r, Options{})
	wantStatus(t, ask(s, post, "/embeddings", `["a b c"]`), 500, "no")
	wantStatus(t, ask(s, post, "/embeddings", `["a b c d"]`), 500, "panic")
	wantStatus(t, ask(s, post, "/embeddings", `["a"]`), 200, "embeddings")
}
