// Package dialecttest drives a dialect in tests as serve does, without a server:
// a body in, the request that the dialect made of it, and the answer it writes
// to a given result.
package dialecttest

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/serve/dialect"
	"github.com/paceline/paceline/internal/serve/dialect/wire"
)

// Info is a server to talk to: small limits, so that tests reach them.
func Info() *dialect.Info {
	return &dialect.Info{
		Version: "1.2.3", Profile: "tei", Model: "tiny", ModelID: "org/tiny", Revision: "abc", DType: "float32", CPULevel: "avx2",
		Device: "cpu", Policy: "budget", Pooling: "mean", Dim: 3, Threads: 2, Created: 1700000000, MaxTokens: 16,
		ClientBatch: 4, BatchTokens: 100, BatchTexts: 2, TargetBatch: 1, ConcurrentLimit: 8, BodyLimit: 2000, TruncatesDefault: true,
	}
}

// Route finds a dialect's route for a body.
func Route(t testing.TB, d dialect.Dialect, method, path string, b *wire.Body) dialect.Route {
	t.Helper()
	var first *dialect.Route
	for i := range d.Routes {
		r := &d.Routes[i]
		if r.Method != method || r.Path != path {
			continue
		}
		if b != nil && (r.Claims == nil || r.Claims(b)) {
			return *r
		}
		if first == nil {
			first = r
		}
	}
	if first == nil {
		t.Fatalf("%s has no %s %s", d.Name, method, path)
	}
	return *first
}

// InfoOf is a server whose model has a head and its labels.
func InfoOf(head dialect.Head, labels ...string) *dialect.Info {
	i := Info()
	i.Head, i.Labels = head, labels
	return i
}

// Post decodes a body at a path. If that fails it returns nil and the answer
// that the dialect's clients get.
func Post(t testing.TB, d dialect.Dialect, path, query, body string) (*dialect.Request, Response) {
	t.Helper()
	return PostTo(t, d, Info(), path, query, body)
}

// PostTo is Post to a server of one's own.
func PostTo(t testing.TB, d dialect.Dialect, info *dialect.Info, path, query, body string) (*dialect.Request, Response) {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := wire.ParseBody([]byte(body))
	route := Route(t, d, "POST", path, parsed)
	if err == nil {
		var r *dialect.Request
		r, err = route.Decode(&dialect.Call{Body: parsed, Query: values, Info: info, InfoOf: func(string) *dialect.Info { return info }, ID: "id1", Time: time.Unix(1800000000, 0)})
		if err == nil {
			err = r.Complete(info)
		}
		if err == nil {
			return r, Response{}
		}
	}
	return nil, Write(t, func(a *dialect.Answer) { route.Fail(a, dialect.AsError(err)) })
}

// Response is an answer as the wire has it.
type Response struct {
	Status int
	Header map[string]string
	Body   string
}

// Write collects what a dialect writes.
func Write(t testing.TB, f func(a *dialect.Answer)) Response {
	t.Helper()
	var out bytes.Buffer
	a := &dialect.Answer{Writer: wire.NewWriter(&out), Status: 200}
	f(a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return Response{a.Status, a.Header, out.String()}
}

// Result is what a server might have made of a request: the vectors are
// (3 4 0), (0 0 1), (0.6 0.8 0) and again from the start.
func Result(r *dialect.Request) *dialect.Result {
	result := &dialect.Result{
		Model: "tiny", InputTokens: 3 * len(r.Inputs), Characters: 11, BatchRequests: 2, BatchTexts: 5,
		Times: dialect.Times{Tokenize: time.Millisecond, Queue: 2 * time.Millisecond, Inference: 30 * time.Millisecond, Total: 35 * time.Millisecond},
	}
	for i := range r.Inputs {
		v := [][]float32{{3, 4, 0}, {0, 0, 1}, {0.6, 0.8, 0}}[i%3]
		result.Vectors = append(result.Vectors, v)
		if r.Want == dialect.Scores {
			result.Scores = append(result.Scores, []float32{0.25, 0.75, 0.5, 0.25, 0.75}[i%3:][:3])
			continue
		}
		result.TokenVectors = append(result.TokenVectors, [][]float32{v, v})
		result.Tokens = append(result.Tokens, []dialect.Token{{ID: 2, Text: "[CLS]", Piece: "[CLS]", Special: true}, {ID: 9, Text: "hé", Piece: "h", Start: 0, Stop: 3}})
		result.Texts = append(result.Texts, "hé")
	}
	return result
}

// Exchange posts a body and answers it with Result.
func Exchange(t testing.TB, d dialect.Dialect, path, query, body string) Response {
	t.Helper()
	return ExchangeWith(t, d, Info(), path, query, body)
}

// ExchangeWith is Exchange with a server of one's own.
func ExchangeWith(t testing.TB, d dialect.Dialect, info *dialect.Info, path, query, body string) Response {
	t.Helper()
	r, failed := PostTo(t, d, info, path, query, body)
	if r == nil {
		return failed
	}
	return Write(t, func(a *dialect.Answer) { r.Encode(a, Result(r)) })
}

// Get asks a route that describes the server.
func Get(t testing.TB, d dialect.Dialect, path string, ready bool) Response {
	t.Helper()
	route := Route(t, d, "GET", path, nil)
	stats := &dialect.Stats{Ready: ready, Batches: 4, Texts: 10, AverageBatch: 2.5, Waiting: 3, Models: []dialect.Served{{Info: Info(), Open: true}}}
	return Write(t, func(a *dialect.Answer) { route.Describe(a, Info(), stats) })
}

// Expect compares an answer with a status and a JSON value.
func Expect(t testing.TB, got Response, status int, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("the test's own JSON %s: %v", want, err)
	}
	if err := json.Unmarshal([]byte(got.Body), &g); err != nil {
		t.Errorf("status %d, not JSON: %q", got.Status, got.Body)
		return
	}
	if got.Status != status || !reflect.DeepEqual(g, w) {
		t.Errorf("got  %d %s\nwant %d %s", got.Status, got.Body, status, want)
	}
}

// Fuzz feeds a decoder anything: it must not panic, and must make a request that
// can be answered with valid JSON or fail with a status from 400 to 499.
func Fuzz(f *testing.F, d dialect.Dialect, path string, seeds ...string) {
	FuzzWith(f, d, Info(), path, seeds...)
}

// FuzzWith is Fuzz with a server of one's own.
func FuzzWith(f *testing.F, d dialect.Dialect, info *dialect.Info, path string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, failed := PostTo(t, d, info, path, "", string(body))
		if r == nil {
			if failed.Status < 400 || failed.Status > 499 || !json.Valid([]byte(failed.Body)) {
				t.Fatalf("%q: %d %s", body, failed.Status, failed.Body)
			}
			return
		}
		if len(r.Inputs) == 0 {
			t.Fatalf("%q: a request without inputs", body)
		}
		got := Write(t, func(a *dialect.Answer) { r.Encode(a, Result(r)) })
		if got.Header["Content-Type"] == "" && !json.Valid([]byte(got.Body)) {
			t.Fatalf("%q: the answer is not JSON: %s", body, got.Body)
		}
	})
}
