package serve

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/token"
)

// TestLongTextInChunks: an input beyond the limit of 16 tokens is the mean of its
// chunks' vectors in every dialect, counts all of their tokens, and the answer says
// that it was cut into chunks; one that fits beside it is as ever.
func TestLongTextInChunks(t *testing.T) {
	t.Parallel()
	r := &fakeRunner{}
	s := newServer(t, "", r, Options{}, func(p *Profile) {
		var err error
		if *p, err = p.Tune(Tuning{LongText: pipeline.LongChunkMean}); err != nil {
			t.Fatal(err)
		}
	})
	text := strings.TrimSpace(strings.Repeat("the ", 20))
	ids := tinyPipeline(t).Tokenizer().Encode(text, token.Options{}).IDs
	if len(ids) != 20 {
		t.Fatalf("%d tokens", len(ids))
	}
	// By hand: chunks of 14 and 6 tokens between [CLS] (2) and [SEP] (3).
	first, second := fakeVector(append([]int32{2, 3}, ids[:14]...)), fakeVector(append([]int32{2, 3}, ids[14:]...))
	want := make([]float32, width)
	for i := range want {
		want[i] = (14*first[i] + 6*second[i]) / 20
	}
	short := unit(fakeVector([]int32{2, ids[0], 3}))
	for _, c := range []struct{ path, body string }{
		{"/embeddings", fmt.Sprintf(`{"texts":["the",%q]}`, text)},
		{"/embed", fmt.Sprintf(`{"inputs":["the",%q]}`, text)},
		{"/embed", fmt.Sprintf(`{"texts":["the",%q]}`, text)},
		{"/v1/embeddings", fmt.Sprintf(`{"input":["the",%q]}`, text)},
	} {
		w := ask(s, post, c.path, c.body)
		vectors := vectorsOf(t, w.Body.Bytes())
		if w.Code != 200 || len(vectors) != 2 || !near(vectors[0], short) || !near(vectors[1], unit(want)) {
			t.Errorf("%s %s: %d %v, want %v and %v", c.path, c.body, w.Code, vectors, short, unit(want))
		}
		if got := w.Header().Get("X-Chunked-Inputs"); got != "1" || w.Header().Get("X-Truncated-Inputs") != "" {
			t.Errorf("%s: %v", c.path, w.Header())
		}
	}
	w := ask(s, post, "/v1/embeddings", fmt.Sprintf(`{"input":[%q]}`, text))
	if !strings.Contains(w.Body.String(), `"prompt_tokens":24`) { // 20 and two special ones a chunk
		t.Errorf("usage: %s", w.Body)
	}
	w = ask(s, post, "/embed", fmt.Sprintf(`{"inputs":[%q],"truncate":true}`, text))
	if w.Code != 200 || w.Header().Get("X-Truncated-Inputs") != "1" || w.Header().Get("X-Chunked-Inputs") != "" {
		t.Errorf("a request that asks for truncation: %d %v", w.Code, w.Header())
	}
}

// TestLongTextRefused: the third choice.
func TestLongTextRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t, "", &fakeRunner{}, Options{}, func(p *Profile) { *p, _ = p.Tune(Tuning{LongText: pipeline.LongError}) })
	wantStatus(t, ask(s, post, "/v1/embeddings", fmt.Sprintf(`{"input":%q}`, strings.Repeat("the ", 20))), 400, "the limit is 16")
}

// vectorsOf finds the vectors of any dialect's answer.
func vectorsOf(t *testing.T, body []byte) [][]float32 {
	t.Helper()
	var rest [][]float32
	if body[0] == '[' {
		return unmarshalled[[][]float32](t, body)
	}
	if list := unmarshalled[struct{ Embeddings [][]float32 }](t, body).Embeddings; list != nil {
		return list
	}
	for _, d := range unmarshalled[struct {
		Data []struct{ Embedding []float32 }
	}](t, body).Data {
		rest = append(rest, d.Embedding)
	}
	return rest
}

func unmarshalled[T any](t *testing.T, body []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return v
}
