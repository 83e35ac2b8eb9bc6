package agent

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/bench/record"
	"github.com/paceline/paceline/internal/bench/sample"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs an agent on a loopback port.
func serve(t *testing.T, o Options) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(o)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}

func dial(t *testing.T, url, token string) (*Client, error) {
	t.Helper()
	c, err := Dial(t.Context(), url, token)
	if c != nil {
		t.Cleanup(c.Close)
	}
	return c, err
}

func self() (int, error) { return os.Getpid(), nil }

// TestAgentEndToEnd: a watch through an agent sees what a watch of the process sees.
func TestAgentEndToEnd(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", "sesame"} {
		c, err := dial(t, serve(t, Options{Find: self, Token: token, Machine: record.Machine{CPU: "a processor", Cores: 3}}), token)
		if err != nil {
			t.Fatal(err)
		}
		if c.Machine.CPU != "a processor" || c.Machine.Cores != 3 || c.From() != record.FromAgent {
			t.Errorf("%+v from %s", c.Machine, c.From())
		}
		before, err := sample.Of(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		epoch := time.Now()
		columns, peak := sample.Start(c).Stop(epoch)
		after, err := sample.Of(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if !columns.Elsewhere() {
			t.Errorf("figures from %q are not this machine's own", columns.From)
		}
		n := len(columns.At)
		if n < 2 || len(columns.CPU) != n || len(columns.RSS) != n || len(columns.Threads) != n {
			t.Fatalf("%+v", columns)
		}
		if columns.CPU[0] < before.CPUSeconds || columns.CPU[n-1] > after.CPUSeconds || peak < columns.RSS[0] {
			t.Errorf("CPU %v, peak %d; the process itself %v to %v", columns.CPU, peak, before.CPUSeconds, after.CPUSeconds)
		}
		if now := time.Since(epoch).Microseconds(); columns.At[n-1] > now {
			t.Errorf("a reading at %d us, it is %d us now: not this machine's clock", columns.At[n-1], now)
		}
	}
}

// TestWhoMayAsk: the threat model of the package's comment.
func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	open, closed := serve(t, Options{Find: self}), serve(t, Options{Find: self, Token: "sesame"})
	for name, c := range map[string]struct {
		url, host, origin, token string
		want                     int
	}{
		"same machine":                  {open, "", "", "", 200},
		"same machine by name":          {open, "localhost:9470", "", "", 200},
		"IPv6's loopback":               {open, "[::1]:9470", "", "", 200},
		"a page whose name points here": {open, "evil.example:9470", "", "", 403},
		"a page":                        {open, "", "http://evil.example", "", 403},
		"a page with the token":         {closed, "", "http://evil.example", "Bearer sesame", 403},
		"the token":                     {closed, "10.0.0.7:9470", "", "Bearer sesame", 200},
		"no token":                      {closed, "", "", "", 401},
		"another token":                 {closed, "", "", "Bearer sesam", 401},
		"the token without its scheme":  {closed, "", "", "sesame", 401},
		"the token with more":           {closed, "", "", "Bearer sesame ", 200}, // HTTP trims values
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+machineRoute, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		for key, value := range map[string]string{"Origin": c.origin, "Authorization": c.token} {
			if value != "" {
				r.Header.Set(key, value)
			}
		}
		reply, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		if reply.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, reply.StatusCode, c.want)
		}
	}
}

func TestCheckListen(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"127.0.0.1:9470": true, "[::1]:0": true, "localhost:1": true, "127.0.0.1": false,
		":9470": false, "0.0.0.0:9470": false, "10.0.0.7:9470": false, "host.example:9470": false,
	} {
		if err := CheckListen(address, ""); (err == nil) != ok {
			t.Errorf("%s without a token: %v", address, err)
		}
	}
	if err := CheckListen("0.0.0.0:9470", "sesame"); err != nil {
		t.Errorf("with a token: %v", err)
	}
}

// TestServerStartedAgain: the process is found anew when it has ended.
func TestServerStartedAgain(t *testing.T) {
	t.Parallel()
	found := make(chan int, 3)
	gone := errors.New("nobody listens")
	c, err := dial(t, serve(t, Options{Find: func() (int, error) {
		select {
		case pid := <-found:
			return pid, nil
		default:
			return 0, gone
		}
	}}), "")
	if err == nil || !strings.Contains(err.Error(), "nobody listens") {
		t.Errorf("%v: want the reason why there is no process", err)
	}
	const noProcess = 1 << 30
	found <- noProcess
	if _, err := c.Read(t.Context(), 0); err == nil {
		t.Error("a reading of a process that is not there")
	}
	found <- os.Getpid()
	if u, err := c.Read(t.Context(), sample.PSS|sample.ResetPeak); err != nil || u.RSSBytes == 0 {
		t.Errorf("%+v, %v", u, err)
	}
	if u, err := c.Read(t.Context(), sample.Peak); err != nil || u.RSSBytes == 0 {
		t.Errorf("%+v, %v: the process is known", u, err)
	}
}

// TestClientDoubts what is no agent's answer.
func TestClientDoubts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ machine, usage, want string }{
		"another service":          {"<html>", "", "not an answer of paceline agent"},
		"a memory below 0":         {"{}", `{"cpu_seconds":1,"rss_bytes":-5}`, "cannot be"},
		"a GPU below 0":            {"{}", `{"cpu_seconds":1,"rss_bytes":5,"gpu":{"joules":-1}}`, "cannot be"},
		"an answer without an end": {"{}", `{"cpu_seconds":1`, "not an answer"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == machineRoute {
				w.Write([]byte(c.machine))
				return
			}
			w.Write([]byte(c.usage))
		}))
		if _, err := dial(t, server.URL, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
		server.Close()
	}
	for _, url := range []string{"", "127.0.0.1:9470", "ftp://host", "http://"} {
		if _, err := Dial(t.Context(), url, ""); err == nil {
			t.Errorf("%q is taken for an agent's address", url)
		}
	}
}

// TestTokenStaysHere: an answer that points elsewhere is not followed.
func TestTokenStaysHere(t *testing.T) {
	t.Parallel()
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("asked with %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(thief.Close)
	server := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	if _, err := dial(t, server.URL, "sesame"); err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("%v: want the status", err)
	}
}

// TestReadingEnds with its context.
func TestReadingEnds(t *testing.T) {
	t.Parallel()
	c, err := dial(t, serve(t, Options{Find: self}), "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Read(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// FuzzWant: whatever is asked for, an answer or a 400.
func FuzzWant(f *testing.F) {
	server := NewServer(Options{Find: self})
	for _, want := range []string{"0", "7", "255", "256", "-1", "", "x"} {
		f.Add(want)
	}
	f.Fuzz(func(t *testing.T, want string) {
		r := httptest.NewRequest(http.MethodPost, usageRoute, nil)
		r.Host = "127.0.0.1"
		query := r.URL.Query()
		query.Set("want", want)
		r.URL.RawQuery = query.Encode()
		w := httptest.NewRecorder()
		server.Handler.ServeHTTP(w, r)
		var u sample.Usage
		if w.Code != http.StatusBadRequest && (w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &u) != nil || !plausible(u)) {
			t.Errorf("%q: %d %s", want, w.Code, w.Body)
		}
	})
}
