package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// running is a server on loopback.
type running struct {
	*Server
	url    string
	client *http.Client
	stop   context.CancelFunc // as SIGTERM would
	force  context.CancelFunc // as the second
	ended  chan error
}

func start(t *testing.T, r *fakeRunner, o Options) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ProfileNamed("fastapi")
	if err != nil {
		t.Fatal(err)
	}
	o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	transport := &http.Transport{}
	run := &running{Server: New(p, o), url: "http://" + l.Addr().String(), client: &http.Client{Transport: transport}, ended: make(chan error, 1)}
	ctx, stop := context.WithCancel(context.Background())
	force, cancel := context.WithCancel(context.Background())
	run.stop, run.force = stop, cancel
	go func() { run.ended <- run.Serve(ctx, force, Door{Listener: l}) }()
	if r != nil {
		if err := run.Load(tinyModel(t, r)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { stop(); cancel(); transport.CloseIdleConnections() })
	return run
}

func (r *running) do(t *testing.T, ctx context.Context, method, path, body string) (int, string, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// TestNotReadyBeforeTheModel: alive at once, ready with the model.
func TestNotReadyBeforeTheModel(t *testing.T) {
	t.Parallel()
	s := start(t, nil, Options{})
	expect := func(path string, want int) {
		t.Helper()
		method, body := get, ""
		if path == "/embeddings" {
			method, body = post, `["a"]`
		}
		if got, text, err := s.do(t, t.Context(), method, path, body); got != want || err != nil {
			t.Errorf("%s: %d %s %v, want %d", path, got, text, err, want)
		}
	}
	expect("/health/live", 200)
	expect("/health/ready", 503)
	expect("/health", 503)
	expect("/embeddings", 503)
	if err := s.Load(tinyModel(t, &fakeRunner{})); err != nil {
		t.Fatal(err)
	}
	expect("/health/ready", 200)
	expect("/health", 200)
	expect("/embeddings", 200)
	s.stop()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
}

// TestDrain: told to stop, the server finishes what it accepted, takes nothing
// new, and ends well.
func TestDrain(t *testing.T) {
	t.Parallel()
	r := &fakeRunner{inside: make(chan struct{}, 1), proceed: make(chan struct{})}
	s := start(t, r, Options{})
	answered := make(chan string, 1)
	go func() {
		status, text, err := s.do(t, context.Background(), post, "/embeddings", `{"texts":["a"],"use_batching":false}`)
		answered <- fmt.Sprint(status, " ", text, err)
	}()
	<-r.inside
	s.stop()
	for !s.closing.Load() || dials(s.url) {
	}
	select {
	case err := <-s.ended:
		t.Fatalf("it ended with a request inside: %v", err)
	default:
	}
	close(r.proceed)
	if got := <-answered; !strings.HasPrefix(got, "200 ") {
		t.Errorf("the accepted request: %s", got)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// dials tells whether the server still accepts connections.
func dials(url string) bool {
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// TestForcedEnd: told twice, it gives up what is inside and says so.
func TestForcedEnd(t *testing.T) {
	t.Parallel()
	because := map[string]string{"second signal": "context canceled", "timeout": "1ms were not enough"}
	for name, force := range map[string]func(s *running){
		"second signal": func(s *running) { s.force() },
		"timeout":       func(*running) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{}
			if name == "timeout" {
				o.Drain = time.Millisecond
			}
			r := &fakeRunner{inside: make(chan struct{}, 1), proceed: make(chan struct{})}
			s := start(t, r, o)
			failed := make(chan error, 1)
			go func() {
				_, _, err := s.do(t, context.Background(), post, "/embeddings", `{"texts":["a"],"use_batching":false}`)
				failed <- err
			}()
			<-r.inside
			s.stop()
			force(s)
			if err := <-s.ended; err == nil || err.Error() != "1 accepted requests were given up: "+because[name] {
				t.Errorf("it ended with %v", err)
			}
			if err := <-failed; err == nil {
				t.Error("a request that was given up must not look answered")
			}
		})
	}
}

// TestClientLeaves: the work of a client that has gone is dropped.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	r := &fakeRunner{inside: make(chan struct{}, 1), proceed: make(chan struct{})}
	s := start(t, r, Options{})
	ctx, leave := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() {
		_, _, err := s.do(t, ctx, post, "/embeddings", `{"texts":["a"],"use_batching":false}`)
		left <- err
	}()
	<-r.inside
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	// The engine is never told to proceed: only the end of its context frees it.
	s.stop()
	if err := <-s.ended; err != nil {
		t.Error(err)
	}
	if got := s.queueStats().Abandoned; got != 1 {
		t.Errorf("%d requests abandoned, want 1", got)
	}
}
