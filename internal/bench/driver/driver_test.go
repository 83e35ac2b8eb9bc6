package driver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, dialect, url string, o Options) Driver {
	t.Helper()
	if o.Model == "" {
		o.Model = "all-MiniLM-L6-v2"
	}
	d, err := Open(dialect, url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func send(t testing.TB, d Driver, texts ...string) Reply {
	t.Helper()
	r, err := d.Prepare(texts)
	if err != nil {
		t.Fatal(err)
	}
	return d.Send(t.Context(), r)
}

var nasty = []string{"plain", "", "quotes \" and \\ and </script>", "line\nbreak\x00", "grün 漢字 🚲", strings.Repeat("long ", 5000), "\"embeddings\":[[1]]"}

// conformance is what every driver must do, told from outside.
var conformance = []struct {
	name  string
	serve service
	want  Outcome
}{
	{"every vector", service{vectors: honest}, OK},
	{"one vector short", service{vectors: func(t []string) [][]float32 { return honest(t)[1:] }}, WrongCount},
	{"one vector more", service{vectors: func(t []string) [][]float32 { return honest(append(t, "more")) }}, WrongCount},
	{"no vectors", service{vectors: func([]string) [][]float32 { return [][]float32{} }}, WrongCount},
	{"ragged", service{vectors: func(t []string) [][]float32 { v := honest(t); v[0] = v[0][1:]; return v }}, WrongDim},
	{"empty vectors", service{vectors: func(t []string) [][]float32 { return slices.Repeat([][]float32{{}}, len(t)) }}, WrongDim},
	{"429", service{spoil: status(429)}, Overloaded},
	{"503", service{spoil: status(503)}, Server5xx},
	{"500", service{spoil: status(500)}, Server5xx},
	{"422", service{spoil: status(422)}, Client4xx},
	{"413", service{spoil: status(413)}, Client4xx},
	{"a redirect", service{spoil: status(302)}, Malformed},
	{"204", service{spoil: status(204)}, Malformed},
	{"HTML", service{spoil: text("<html>It works!</html>")}, Malformed},
	{"nothing", service{spoil: text("")}, Malformed},
	{"another object", service{spoil: text(`{"status":"ok"}`)}, Malformed},
	{"half a list", service{spoil: text(`[[1,2`)}, Malformed},
	{"half an object", service{spoil: text(`{"embeddings":[[1,2],[3,4]],"data":[{"embedding":[1`)}, Malformed},
	{"cut off", service{spoil: cutOff}, Reset},
}

func status(code int) func(http.ResponseWriter) bool {
	return func(w http.ResponseWriter) bool { w.WriteHeader(code); return true }
}

func text(body string) func(http.ResponseWriter) bool {
	return func(w http.ResponseWriter) bool { io.WriteString(w, body); return true }
}

// cutOff promises more bytes than it sends.
func cutOff(w http.ResponseWriter) bool {
	w.Header().Set("Content-Length", "1000")
	io.WriteString(w, "[[1,2],")
	panic(http.ErrAbortHandler)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, dialect := range Dialects() {
		for _, c := range conformance {
			t.Run(dialect+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				if strings.HasPrefix(dialect, "kserve") && c.name == "ragged" {
					t.Skip("a tensor cannot be ragged")
				}
				d := open(t, dialect, c.serve.start(t), Options{})
				for range 2 { // the second time through a used connection
					if got := send(t, d, nasty...); got.Outcome != c.want {
						t.Errorf("Send: %v, want %q", got, c.want)
					}
				}
				_, err := d.Embed(t.Context(), nasty)
				failure := &Failure{Reply{Outcome: OK}}
				if errors.As(err, &failure); failure.Outcome != c.want {
					t.Errorf("Embed: %v, want %q", err, c.want)
				}
			})
		}
	}
}

func TestEmbedDecodes(t *testing.T) {
	t.Parallel()
	for _, dialect := range Dialects() {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			d := open(t, dialect, (&service{vectors: honest}).start(t), Options{})
			got, err := d.Embed(t.Context(), nasty)
			if err != nil {
				t.Fatal(err)
			}
			if want := honest(nasty); !reflect.DeepEqual(got, want) {
				t.Errorf("decoded %v, want %v", got, want)
			}
		})
	}
}

// TestDimensionIsLearned: once Embed has seen the dimension, another one is an error.
func TestDimensionIsLearned(t *testing.T) {
	t.Parallel()
	for _, dialect := range Dialects() {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			dims := []int{dimension, dimension, dimension - 1}
			s := &service{vectors: func(texts []string) [][]float32 {
				v := honest(texts)
				for i := range v {
					v[i] = v[i][:dims[0]]
				}
				dims = dims[1:]
				return v
			}}
			d := open(t, dialect, s.start(t), Options{})
			if _, err := d.Embed(t.Context(), []string{"a"}); err != nil {
				t.Fatal(err)
			}
			if got := send(t, d, "a"); got.Outcome != OK {
				t.Errorf("same dimension: %v", got)
			}
			if got := send(t, d, "a"); got.Outcome != WrongDim {
				t.Errorf("another dimension: %v", got)
			}
		})
	}
}

func TestNotANumber(t *testing.T) {
	t.Parallel()
	for dialect, bodies := range map[string][]string{
		"fastapi":       {`{"embeddings":[[1,NaN]]}`, `{"embeddings":[[1,null]]}`, `{"embeddings":[[-Infinity]]}`},
		"tei":           {`[[1,NaN]]`, `[[null]]`},
		"openai":        {`{"data":[{"index":0,"embedding":[NaN,1]}]}`},
		"openai-base64": {`{"data":[{"index":0,"embedding":"AACAPwAAwH8="}]}`, `{"data":[{"index":0,"embedding":"AACAfw=="}]}`},
		"kserve-http":   {`{"outputs":[{"name":"embeddings","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]}` + "\x00\x00\x80\x3f\x00\x00\xc0\x7f"},
	} {
		for _, body := range bodies {
			d := open(t, dialect, (&service{spoil: text(body)}).start(t), Options{})
			if got := send(t, d, "a"); got.Outcome != NaN {
				t.Errorf("%s, %s: %v, want nan", dialect, body, got)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	if got := send(t, open(t, "tei", url, Options{}), "a"); got.Outcome != Refused {
		t.Errorf("%v, want refused", got)
	}
}

// hanging is a service that reads requests and answers none of them.
func hanging(t *testing.T) string {
	t.Helper()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-release
	}))
	t.Cleanup(func() { close(release); server.Close() })
	return server.URL
}

func TestTimeoutAndCancel(t *testing.T) {
	t.Parallel()
	url := hanging(t)
	if got := send(t, open(t, "poc", url, Options{Timeout: time.Millisecond}), "a"); got.Outcome != Timeout {
		t.Errorf("%v, want timeout", got)
	}
	d := open(t, "poc", url, Options{})
	r, err := d.Prepare([]string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan Reply)
	go func() { done <- d.Send(ctx, r) }()
	cancel()
	if got := <-done; got.Outcome != Canceled {
		t.Errorf("%v, want canceled", got)
	}
}

// TestConnectionsAreKept counts connections: one for requests in sequence, one
// more for each that overlaps.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	opened := 0
	server := httptest.NewUnstartedServer(&service{vectors: honest})
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			mu.Lock()
			opened++
			mu.Unlock()
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	d := open(t, "fastapi", server.URL, Options{})
	for range 20 {
		if got := send(t, d, "a", "b"); got.Outcome != OK {
			t.Fatal(got)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if opened != 1 {
		t.Errorf("%d connections for requests in sequence, want 1", opened)
	}
}

// TestIdleConnectionClosed: a service that ends connections between requests
// (uvicorn does after five seconds) costs a new connection, not an error.
func TestIdleConnectionClosed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&service{vectors: honest})
	t.Cleanup(server.Close)
	d := open(t, "tei", server.URL, Options{})
	for range 3 {
		if got := send(t, d, "a"); got.Outcome != OK {
			t.Fatal(got)
		}
		server.CloseClientConnections()
	}
}

// TestEarlyRefusal: a service may refuse a body before it has read it.
func TestEarlyRefusal(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	}))
	t.Cleanup(server.Close)
	if got := send(t, open(t, "tei", server.URL, Options{}), strings.Repeat("x", 1<<20)); got.Outcome != Client4xx {
		t.Errorf("%v, want 4xx", got)
	}
}

func TestWire(t *testing.T) {
	t.Parallel()
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.URL.Path, r.Header.Get("Authorization"))
	}))
	t.Cleanup(server.Close)
	header := http.Header{"Authorization": {"Bearer key"}}
	send(t, open(t, "tei", server.URL+"/behind/a/proxy/", Options{Header: header}), "a")
	send(t, open(t, "tei", server.URL+"/embed", Options{}), "a") // the route may be in the URL already
	want := []string{"/behind/a/proxy/embed", "Bearer key", "/embed", ""}
	if !slices.Equal(got, want) {
		t.Errorf("the service saw %q, want %q", got, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ dialect, url, want string }{
		{"grpc", "http://127.0.0.1:1", "fastapi, kserve-grpc, kserve-http, openai"},
		{"tei", "127.0.0.1:8080", "want http://host:port"},
		{"tei", "ftp://127.0.0.1", "want http://host:port"},
		{"tei", "http://", "want http://host:port"},
	} {
		if _, err := Open(c.dialect, c.url, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%q, %q): %v, want %q in it", c.dialect, c.url, err, c.want)
		}
	}
}

func TestServedModel(t *testing.T) {
	t.Parallel()
	url := (&service{vectors: honest}).start(t)
	for _, base := range []string{url, url + "/", url + "/v1/embeddings"} {
		if name, err := ServedModel(t.Context(), base); name != "served" || err != nil {
			t.Errorf("%s: %q, %v", base, name, err)
		}
	}
	if name, err := ServedModel(t.Context(), ignorant(t)); err == nil {
		t.Errorf("a service without models serves %q", name)
	}
}

// ignorant is a service that knows nothing.
func ignorant(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return server.URL
}

func TestRequestSize(t *testing.T) {
	t.Parallel()
	r, err := open(t, "tei", "http://127.0.0.1:1", Options{}).Prepare([]string{"a", "b"})
	if err != nil || r.Texts != 2 || r.Size() != len(r.wire) || !bytes.Contains(r.wire, []byte(`"inputs":["a","b"]`)) {
		t.Errorf("%+v, %v", r, err)
	}
}
