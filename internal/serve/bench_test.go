package serve

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/model"
)

// instant is an engine that takes no time: its vectors are copied.
type instant struct{ vector []float32 }

func (r instant) Run(_ context.Context, b *model.Batch) error {
	for i := range b.Out {
		copy(b.Out[i].Vector, r.vector)
	}
	return nil
}

func instantServer(b *testing.B) *Server {
	vector := make([]float32, 384)
	for i := range vector {
		vector[i] = 0.05 * float32((i*7919)%1000-500) / 500
	}
	p, err := ProfileNamed("")
	if err != nil {
		b.Fatal(err)
	}
	s := New(p, Options{Log: slog.New(slog.DiscardHandler)})
	m := tinyModel(b, instant{vector})
	spec := model.Spec{Hidden: 384, MaxPositions: 128, Pooling: []model.PoolingMode{"mean"}}
	spec.Embedding.Vocab, spec.Embedding.TokenTypes.Rows = 716, 2
	m.Width, m.Hidden, m.Pipeline = 384, 384, pipelineOf(b, &spec)
	if err := s.Load(m); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.models.Load().drain(context.Background()) })
	return s
}

// BenchmarkRequest is everything that a request costs apart from the engine and
// the wire: 32 texts of about 12 tokens, vectors of 384 values.
func BenchmarkRequest(b *testing.B) {
	texts := strings.Repeat(`"a short sentence of ten words or so", `, 31) + `"the end"`
	for _, c := range []struct{ name, path, body string }{
		{"fastapi", "/embeddings", `{"texts":[` + texts + `]}`},
		{"tei", "/embed", `{"inputs":[` + texts + `]}`},
		{"openai", "/v1/embeddings", `{"input":[` + texts + `]}`},
		{"base64", "/v1/embeddings", `{"input":[` + texts + `],"encoding_format":"base64"}`},
		{"single", "/embed", `{"inputs":"a short sentence of ten words or so"}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := instantServer(b)
			b.ReportAllocs()
			body := strings.NewReader(c.body)
			w := &discard{header: http.Header{}}
			for b.Loop() {
				body.Reset(c.body)
				clear(w.header)
				r := httptest.NewRequest(post, c.path, body)
				s.Handler().ServeHTTP(w, r)
				if w.status != 200 {
					b.Fatal(w.status)
				}
			}
		})
	}
}

// BenchmarkLoopback adds the wire: one keep-alive client on loopback.
func BenchmarkLoopback(b *testing.B) {
	s := instantServer(b)
	server := httptest.NewServer(s.Handler())
	b.Cleanup(server.Close)
	for _, n := range []int{1, 32} {
		body := `{"inputs":["a short sentence of ten words or so"` + strings.Repeat(`,"a short sentence of ten words or so"`, n-1) + `]}`
		b.Run(fmt.Sprintf("texts=%d", n), func(b *testing.B) {
			for b.Loop() {
				r, err := server.Client().Post(server.URL+"/embed", "application/json", bytes.NewReader([]byte(body)))
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
		})
	}
}

// discard is a ResponseWriter that keeps nothing.
type discard struct {
	header http.Header
	status int
}

func (w *discard) Header() http.Header         { return w.header }
func (w *discard) WriteHeader(status int)      { w.status = status }
func (w *discard) Write(b []byte) (int, error) { return len(b), nil }
