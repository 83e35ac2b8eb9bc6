package triton_test

import (
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	health "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/paceline/paceline/internal/modelrepo"
	"github.com/paceline/paceline/internal/serve/triton"
)

// TestHealthWatch follows the server and a model from before the start to the
// shutdown.
func TestHealthWatch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, triton.Options{Control: triton.ControlExplicit, Load: []string{"tokenizer"}})
	conn, door := dialDoor(t, f)
	client := health.NewHealthClient(conn)
	streams := map[string]health.Health_WatchClient{}
	want := func(service string, status health.HealthCheckResponse_ServingStatus) {
		t.Helper()
		got, err := streams[service].Recv()
		if err != nil || got.Status != status {
			t.Fatalf("%q: %v, %v, want %v", service, got, err, status)
		}
	}
	for service, status := range map[string]health.HealthCheckResponse_ServingStatus{
		"": health.HealthCheckResponse_NOT_SERVING, "tokenizer": health.HealthCheckResponse_SERVICE_UNKNOWN, "nobody": health.HealthCheckResponse_SERVICE_UNKNOWN,
	} {
		var err error
		if streams[service], err = client.Watch(t.Context(), &health.HealthCheckRequest{Service: service}); err != nil {
			t.Fatal(err)
		}
		want(service, status)
	}
	if err := f.Start(t.Context(), triton.Source{Repository: modelrepo.Preset{Model: "tiny", Dim: f.model.Pipeline.Dim()}, Open: f.open}); err != nil {
		t.Fatal(err)
	}
	want("", health.HealthCheckResponse_SERVING)
	for got := health.HealthCheckResponse_SERVICE_UNKNOWN; got != health.HealthCheckResponse_SERVING; { // it may be seen loading
		answer, err := streams["tokenizer"].Recv()
		if err != nil {
			t.Fatal(err)
		}
		got = answer.Status
	}
	if err := f.UnloadFor("", "tokenizer", false); err != nil {
		t.Fatal(err)
	}
	want("tokenizer", health.HealthCheckResponse_NOT_SERVING)
	if err := f.LoadFor(t.Context(), "", "tokenizer", nil); err != nil {
		t.Fatal(err)
	}
	want("tokenizer", health.HealthCheckResponse_SERVING)

	ended := make(chan error, 1)
	go func() { ended <- door.Shutdown(t.Context()) }()
	want("", health.HealthCheckResponse_NOT_SERVING)
	want("tokenizer", health.HealthCheckResponse_NOT_SERVING)
	for service, stream := range streams {
		if got, err := stream.Recv(); err == io.EOF || err == nil {
			t.Errorf("%q goes on with %v", service, got)
		} else {
			wantCode(t, err, codes.Unavailable, "shutting down")
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if f.Ready() {
		t.Error("it is ready after the shutdown")
	}
	if w := f.do("GET", "/v2/health/ready", nil); w.Code != 400 {
		t.Errorf("ready: %d", w.Code)
	}
	if w := f.do("GET", "/v2/health/live", nil); w.Code != 200 {
		t.Errorf("live: %d", w.Code)
	}
}
