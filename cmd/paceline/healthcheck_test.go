package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/serve"
)

// checkedHealth runs paceline healthcheck as a container does, and gives its exit code
// with all that it said.
func checkedHealth(t *testing.T, env []string, args ...string) (int, string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Args = append([]string{"paceline", "healthcheck"}, args...)
	c.Env = append(os.Environ(), env...)
	said, _ := c.CombinedOutput() // the exit code is the answer
	return c.ProcessState.ExitCode(), string(said)
}

// TestHealthcheckOfServe finds a server by its URL and by the settings that it shares
// with it, over TLS too, whose certificate nobody here vouches for.
func TestHealthcheckOfServe(t *testing.T) {
	t.Parallel()
	cert, key, _ := selfSigned(t)
	for scheme, settings := range map[string][]string{
		"http":  {"PACELINE_HOST=0.0.0.0", "API_KEY=secret"},
		"https": {"PACELINE_TLS_CERT=" + cert, "PACELINE_TLS_KEY=" + key},
	} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			s := startServe(t, settings)
			at, err := url.Parse(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			address := scheme + "://127.0.0.1:" + at.Port()
			want := address + " is ready\n"
			if code, said := checkedHealth(t, nil, "--url", address); code != exitDone || said != want {
				t.Errorf("by its URL: exit code %d, %q", code, said)
			}
			if code, said := checkedHealth(t, append(settings, "PACELINE_PORT="+at.Port())); code != exitDone || said != want {
				t.Errorf("by its settings: exit code %d, %q", code, said)
			}
			s.stop(t)
		})
	}
}

// TestHealthcheckFails: all but a ready server is exit code 1, and says why.
func TestHealthcheckFails(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // it accepts nothing, so nothing is answered
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	moved := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
	defer moved.Close()
	for _, c := range []struct{ name, address, timeout, want string }{
		{"nothing listens", "http://127.0.0.1:" + freePort(t), "1m", "start `paceline serve`"},
		{"no model yet", startEmpty(t), "1m", "status 503: the model is not loaded yet"},
		{"another server", other.URL, "1m", "status 404, want 200"},
		{"one that sends elsewhere", moved.URL, "1m", "status 302, want 200"},
		{"one that is silent", "http://" + silent.Addr().String(), "100ms", "no answer within 100ms"},
	} {
		code, said := checkedHealth(t, nil, "--url", c.address, "--timeout", c.timeout)
		if code != exitFailed || !strings.Contains(said, c.address+"/health/ready: ") || !strings.Contains(said, c.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q, want %q", c.name, code, said, c.want)
		}
	}
}

// startEmpty is a server whose model has not been loaded.
func startEmpty(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := serve.ProfileNamed("")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := serve.New(profile, serve.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	go func() { ended <- server.Serve(ctx, context.Background(), serve.Door{Listener: l}) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}
