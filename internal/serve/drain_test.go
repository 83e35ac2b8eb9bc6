package serve

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestDoorsDrainSideBySide: while one door still has a request inside, the other
// has closed, and the door that watches tells that the server lives and is not
// ready, by its own paths and by an extension's.
func TestDoorsDrainSideBySide(t *testing.T) {
	t.Parallel()
	p, err := ProfileNamed("triton")
	if err != nil {
		t.Fatal(err)
	}
	s := New(p, Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	inside, proceed := make(chan struct{}), make(chan struct{})
	ready := func() bool { return !s.closing.Load() }
	s.Extend(Extension{
		Prefix: "/v2", Open: []string{"/v2/live", "/v2/ready"}, Metrics: prometheus.NewCounter(prometheus.CounterOpts{Name: "nv"}), Alone: true, Ready: ready,
		Drain: func(context.Context) error { return nil },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/v2/infer":
				close(inside)
				<-proceed
			case r.URL.Path == "/v2/ready" && !ready():
				w.WriteHeader(http.StatusBadRequest)
			}
		}),
	})
	urls, doors := make([]string, 3), make([]Door, 3)
	for i := range doors {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		urls[i], doors[i] = "http://"+l.Addr().String(), Door{Listener: l, Watch: i == 2}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	status := func(url string) int {
		answer, err := client.Get(url)
		if err != nil {
			return 0
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	ctx, stop := context.WithCancel(t.Context())
	ended, answered := make(chan error, 1), make(chan int, 1)
	go func() { ended <- s.Serve(ctx, context.Background(), doors...) }()
	go func() { answered <- status(urls[0] + "/v2/infer") }()
	<-inside
	if got := status(urls[2] + "/v2/ready"); got != http.StatusOK {
		t.Errorf("before the drain it is ready with %d", got)
	}
	stop()
	for dials(urls[0]) || dials(urls[1]) {
	}
	for path, want := range map[string]int{"/v2/live": 200, "/v2/ready": 400, "/health/live": 200, "/health/ready": 503, "/v2/infer": 404} {
		if got := status(urls[2] + path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	close(proceed)
	if got := <-answered; got != http.StatusOK {
		t.Errorf("the accepted request: %d", got)
	}
	if err := <-ended; err != nil || dials(urls[2]) {
		t.Errorf("it ended with %v", err)
	}
}
