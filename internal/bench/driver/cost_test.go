package driver

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkClient shows what the client costs beside net/http's, against the same
// reply of 32 vectors of 384 values: the difference is what a measurement takes away
// from a server on the same machine.
func BenchmarkClient(b *testing.B) {
	vectors := make([][]float32, 32)
	for i := range vectors {
		vectors[i] = make([]float32, 384)
		for j := range vectors[i] {
			vectors[i][j] = float32(i*384+j) / 1e5
		}
	}
	body, err := json.Marshal(map[string]any{"embeddings": vectors})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Write(body)
	}))
	b.Cleanup(server.Close)
	texts := make([]string, 32)
	b.Run("driver", func(b *testing.B) {
		d := open(b, "poc", server.URL, Options{})
		r, err := d.Prepare(texts)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if reply := d.Send(b.Context(), r); reply.Outcome != OK {
				b.Fatal(reply)
			}
		}
	})
	b.Run("net/http and encoding/json", func(b *testing.B) {
		for b.Loop() {
			naive(b, server.URL+"/embed", texts)
		}
	})
}

// naive is the client as it is usually written.
func naive(b *testing.B, url string, texts []string) {
	request, err := poc{}.body(texts)
	if err != nil {
		b.Fatal(err)
	}
	reply, err := http.Post(url, "application/json", bytes.NewReader(request))
	if err != nil {
		b.Fatal(err)
	}
	defer reply.Body.Close()
	var r struct{ Embeddings [][]float32 }
	if err := json.NewDecoder(reply.Body).Decode(&r); err != nil || len(r.Embeddings) != len(texts) {
		b.Fatal(err)
	}
}
