package serve

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
)

func small(p *Profile) { p.Limits.Body = 100 }

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	s := newServer(t, "tei", &fakeRunner{}, Options{}, small)
	fits := `{"inputs":"` + strings.Repeat("a", 87) + `"}`
	if len(fits) != 100 {
		t.Fatalf("%d bytes", len(fits))
	}
	wantStatus(t, ask(s, post, "/embed", fits), 200, "[[")
	wantStatus(t, ask(s, post, "/embed", fits+" "), 413, "larger than 100 bytes")
	// Without a length the body is cut off while it is read.
	r := httptest.NewRequest(post, "/embed", io.MultiReader(strings.NewReader(fits), strings.NewReader(fits)))
	r.ContentLength = -1
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	wantStatus(t, w, 413, `"error_type":"Validation"`)
	// Nor does one byte too many pass that comes together with the end.
	r = httptest.NewRequest(post, "/embed", iotest.DataErrReader(strings.NewReader(fits+" ")))
	r.ContentLength = -1
	w = httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	wantStatus(t, w, 413, "larger than 100 bytes")
	if held := s.gate.held.Load(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGzip(t *testing.T) {
	t.Parallel()
	s := newServer(t, "tei", &fakeRunner{}, Options{}, small)
	wantStatus(t, ask(s, post, "/embed", zipped(t, `{"inputs":"a"}`), "Content-Encoding", "gzip"), 200, "[[")
	bomb := zipped(t, `{"inputs":"`+strings.Repeat("a", 10_000)+`"}`)
	if len(bomb) > 100 {
		t.Fatalf("%d bytes: its packed size must be allowed", len(bomb))
	}
	wantStatus(t, ask(s, post, "/embed", bomb, "Content-Encoding", "gzip"), 413, "larger than 100 bytes")
	wantStatus(t, ask(s, post, "/embed", `{"inputs":"a"}`, "Content-Encoding", "gzip"), 400, "not gzip")
	wantStatus(t, ask(s, post, "/embed", bomb[:len(bomb)-9], "Content-Encoding", "gzip"), 413, "")
	wantStatus(t, ask(s, post, "/embed", `{"inputs":"a"}`, "Content-Encoding", "br"), 415, `Content-Encoding \"br\"`)
}

// TestOverload fills the server: what is too much is refused at once and says
// when to come again, and what was accepted is answered.
func TestOverload(t *testing.T) {
	t.Parallel()
	for profile, body := range map[string]string{"tei": `{"inputs":"a"}`, "langchain": `{"texts":["a"]}`} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &fakeRunner{proceed: make(chan struct{})}
				s := newServer(t, profile, r, Options{}, func(p *Profile) { p.Limits.Concurrent = 3 })
				statuses := make(chan int, 3)
				for range 3 {
					go func() { statuses <- ask(s, post, "/embed", body).Code }()
				}
				synctest.Wait()
				w := ask(s, post, "/embed", body)
				wantStatus(t, w, 429, "3 requests are in progress, which is the limit")
				if retry := w.Header().Get("Retry-After"); retry != "1" {
					t.Errorf("Retry-After %q", retry)
				}
				close(r.proceed)
				for range 3 {
					if got := <-statuses; got != 200 {
						t.Errorf("an accepted request was answered %d", got)
					}
				}
				wantStatus(t, ask(s, post, "/embed", body), 200, "[[")
			})
		})
	}
}

// TestQueueOverload: the queue's own bound is a 429 too.
func TestQueueOverload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &fakeRunner{proceed: make(chan struct{})}
		s := newServer(t, "tei", r, Options{Queue: batchOptions(8)})
		go ask(s, post, "/embed", `{"inputs":"a"}`)
		synctest.Wait()
		go ask(s, post, "/embed", `{"inputs":["a","a","a"]}`)
		synctest.Wait()
		w := ask(s, post, "/embed", `{"inputs":"a"}`)
		wantStatus(t, w, 429, `"error_type":"Overloaded"`)
		if w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		close(r.proceed)
	})
}

// TestBodiesAreBounded: all bodies together have a limit, however many requests
// there may be.
func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	s := newServer(t, "tei", &fakeRunner{}, Options{}, func(p *Profile) { p.Limits.Bodies = 20 })
	wantStatus(t, ask(s, post, "/embed", `{"inputs":"a"}`), 200, "[[")
	wantStatus(t, ask(s, post, "/embed", `{"inputs":"aaaaaaaaaaaa"}`), 429, "20 bytes")
	if held := s.gate.held.Load(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

func TestInputLimits(t *testing.T) {
	t.Parallel()
	s := newServer(t, "tei", &fakeRunner{}, Options{})
	many := `{"inputs":["a"` + strings.Repeat(`,"a"`, 32) + `]}`
	wantStatus(t, ask(s, post, "/embed", many), 422, "batch size 33 > maximum allowed batch size 32")
	s = newServer(t, "fastapi", &fakeRunner{}, Options{})
	many = `["a"` + strings.Repeat(`,"a"`, 128) + `]`
	wantStatus(t, ask(s, post, "/embeddings/batch", many), 400, "Batch size too large. Max: 128, given: 129")
	wantStatus(t, ask(s, post, "/embeddings", many), 200, `"num_embeddings":129`)
}

// TestTokenVectorsAreBounded: what /embed_all may ask for has a limit that does
// not depend on the model.
func TestTokenVectorsAreBounded(t *testing.T) {
	t.Parallel()
	s := newServer(t, "tei", &fakeRunner{}, Options{})
	s.models.Load().open.Open()[0].Value.Hidden = maxValues / 2
	wantStatus(t, ask(s, post, "/embed_all", `{"inputs":"a"}`), 422, "the limit is")
}

func TestTune(t *testing.T) {
	t.Parallel()
	p, _ := ProfileNamed("tei")
	no := false
	p, err := p.Tune(Tuning{BatchTokens: 100, BatchRequests: 7, Concurrent: 9, Inputs: 5, Body: 50, Truncate: &no})
	if err != nil {
		t.Fatal(err)
	}
	s := New(p, Options{})
	if err := s.Load(tinyModel(t, &fakeRunner{})); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.models.Load().drain(context.Background()) })
	i := s.models.Load().list[0].about.Load()
	if i.BatchTokens != 100 || i.BatchRequests != 7 || i.ConcurrentLimit != 9 || i.ClientBatch != 5 || i.BodyLimit != 50 || i.TruncatesDefault {
		t.Errorf("%+v", i)
	}
	if _, err := p.Tune(Tuning{Body: -5}); err == nil || !strings.Contains(err.Error(), "--payload-limit is -5") {
		t.Errorf("%v: a negative limit must be refused", err)
	}
	for _, name := range []string{"langchain", "triton", "fastapi"} {
		p, _ := ProfileNamed(name)
		if _, err := p.Tune(Tuning{BatchTokens: 1}); err == nil || !strings.Contains(err.Error(), "--max-batch-tokens") {
			t.Errorf("%s: %v: a flag without effect must be refused", name, err)
		}
	}
}
