package hub_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/store/hub"
	"github.com/paceline/paceline/internal/store/hubtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// waits records the pauses a client asks for and takes none of them.
type waits struct {
	mu   sync.Mutex
	list []time.Duration
}

func (w *waits) wait(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, d)
	return ctx.Err()
}

func newClient(t *testing.T, o hub.Options) (*hub.Client, *waits) {
	t.Helper()
	w := &waits{}
	o.Wait = w.wait
	c, err := hub.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, w
}

var (
	large = bytes.Repeat([]byte("0123456789abcdef"), 1<<14) // 256 KiB: by redirect to storage
	small = []byte(`{"model_type":"bert"}`)
)

func newHub(t *testing.T) (*hubtest.Hub, hub.Repo) {
	h := hubtest.New(t)
	commit := h.AddModel("org/model", map[string][]byte{"config.json": small, "1_Pooling/config.json": small, "model.safetensors": large})
	return h, hub.Repo{Kind: hub.Model, Name: "org/model", Revision: commit}
}

func TestInfoResolvesARevision(t *testing.T) {
	t.Parallel()
	h, repo := newHub(t)
	h.Tag("org/model", "refs/pr/1", repo.Revision)
	c, _ := newClient(t, hub.Options{Endpoint: h.URL + "/"})
	for _, revision := range []string{"main", "refs/pr/1", repo.Revision} {
		info, err := c.Info(t.Context(), hub.Repo{Kind: hub.Model, Name: "org/model", Revision: revision})
		if err != nil || info.Commit != repo.Revision || len(info.Files) != 3 || info.License != "apache-2.0" {
			t.Errorf("Info(%q) = %+v, %v", revision, info, err)
		}
	}
}

func TestErrorsAreToldApart(t *testing.T) {
	t.Parallel()
	h, repo := newHub(t)
	h.AddModel("org/gated", map[string][]byte{"config.json": small})
	h.Gate("org/gated")
	c, _ := newClient(t, hub.Options{Endpoint: h.URL})
	_, noRepo := c.Info(t.Context(), hub.Repo{Kind: hub.Model, Name: "org/other", Revision: "main"})
	_, noRevision := c.Info(t.Context(), hub.Repo{Kind: hub.Model, Name: "org/model", Revision: "v9"})
	_, noFile := c.Stat(t.Context(), repo, "pooling.json")
	_, gated := c.Stat(t.Context(), hub.Repo{Kind: hub.Model, Name: "org/gated", Revision: "main"}, "config.json")
	for _, e := range []struct {
		got, want error
		words     string
	}{
		{noRepo, hub.ErrRepoNotFound, "check the name, or set HF_TOKEN"},
		{noRevision, hub.ErrRevisionNotFound, "404"},
		{noFile, hub.ErrEntryNotFound, "pooling.json"},
		{gated, hub.ErrAccess, "accept the model's terms"},
	} {
		if !errors.Is(e.got, e.want) || !strings.Contains(e.got.Error(), e.words) {
			t.Errorf("error %v, want %v with %q", e.got, e.want, e.words)
		}
	}
	if errors.Is(noRepo, hub.ErrEntryNotFound) {
		t.Error("every error is every other")
	}
	if n := len(h.Requests()); n != 4 {
		t.Errorf("%d requests for 4 answers that are final", n)
	}
}

func TestStatGivesBothKindsOfHash(t *testing.T) {
	t.Parallel()
	h, repo := newHub(t)
	c, _ := newClient(t, hub.Options{Endpoint: h.URL})
	for path, want := range map[string]hub.File{
		"1_Pooling/config.json": {Size: int64(len(small)), ETag: hubtest.BlobID(small)},
		"model.safetensors":     {Size: int64(len(large)), ETag: hubtest.SHA256(large)},
	} {
		got, err := c.Stat(t.Context(), repo, path)
		if err != nil || got.Size != want.Size || got.ETag != want.ETag {
			t.Errorf("Stat(%q) = %+v, %v; want %+v", path, got, err, want)
		}
	}
}

// blackhole is a network that swallows connections: dialing ends with the context only.
func blackhole() http.RoundTripper {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
}

func TestUnreachableIsNoticed(t *testing.T) {
	t.Parallel()
	c, waited := newClient(t, hub.Options{Transport: blackhole(), Reach: 20 * time.Millisecond})
	_, err := c.Info(t.Context(), hub.Repo{Kind: hub.Model, Name: "org/model", Revision: "main"})
	if !errors.Is(err, hub.ErrUnreachable) || !strings.Contains(err.Error(), "no answer within 20ms") {
		t.Errorf("error %v, want ErrUnreachable with the limit", err)
	}
	if len(waited.list) != 0 {
		t.Errorf("waited %v for a hub that never answered", waited.list)
	}
	if err := c.Reachable(t.Context()); !errors.Is(err, hub.ErrUnreachable) {
		t.Errorf("Reachable: %v", err)
	}
}

// silence takes a request and never answers.
type silence struct{}

func (silence) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestUnreachableWithinThreeSeconds holds the default, on a clock that does not wait.
func TestUnreachableWithinThreeSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := hub.New(hub.Options{Transport: silence{}})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = c.Info(t.Context(), hub.Repo{Kind: hub.Model, Name: "org/model", Revision: "main"})
		if took := time.Since(began); !errors.Is(err, hub.ErrUnreachable) || took != 3*time.Second {
			t.Errorf("%v after %v, want ErrUnreachable after 3s", err, took)
		}
	})
}

func TestReachable(t *testing.T) {
	t.Parallel()
	h, _ := newHub(t)
	c, _ := newClient(t, hub.Options{Endpoint: h.URL})
	h.FailHub(http.MethodHead, "/", hubtest.Fault{Status: 503})
	for range 2 { // any answer counts
		if err := c.Reachable(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestCancelledAtOnce(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, _ := newClient(t, hub.Options{Transport: blackhole(), Reach: time.Hour})
	if _, err := c.Info(ctx, hub.Repo{Kind: hub.Model, Name: "a", Revision: "main"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// answer is a hub whose every answer is the same.
type answer struct {
	header http.Header
	body   string
}

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: a.header.Clone(), Body: io.NopCloser(strings.NewReader(a.body)), Request: r, ContentLength: int64(len(a.body))}, nil
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	repo := hub.Repo{Kind: hub.Model, Name: "a/b", Revision: "main"}
	sha := strings.Repeat("a", 40)
	for _, body := range []string{
		``, `[]`, `{"sha":"main"}`, `{"sha":"../../x"}`,
		`{"sha":"` + sha + `","siblings":[{"rfilename":"../../.ssh/id"}]}`,
		`{"sha":"` + sha + `","siblings":[{"rfilename":"/etc/passwd"}]}`,
		`{"sha":"` + sha + `","siblings":[{"rfilename":"a\\..\\b"}]}`,
		`{"sha":"` + sha + `","siblings":[{"rfilename":""}]}`,
		`{"sha":"` + sha + `","siblings":[{"rfilename":"a/../b"}]}`,
	} {
		c, _ := newClient(t, hub.Options{Transport: answer{body: body}})
		if info, err := c.Info(t.Context(), repo); err == nil {
			t.Errorf("the listing %s is taken as %+v", body, info)
		}
	}
	for _, etag := range []string{"", `"../../x"`, `"` + sha + `0"`, `W/"MD5"`} {
		c, _ := newClient(t, hub.Options{Transport: answer{header: http.Header{"Etag": {etag}, "Content-Length": {"1"}}}})
		if f, err := c.Stat(t.Context(), repo, "f"); err == nil {
			t.Errorf("the ETag %s is taken as %+v", etag, f)
		}
	}
	c, _ := newClient(t, hub.Options{Transport: answer{header: http.Header{"Etag": {`"` + sha + `"`}, "X-Linked-Size": {"-1"}}}})
	if f, err := c.Stat(t.Context(), repo, "f"); err == nil {
		t.Errorf("a size of -1 is taken as %+v", f)
	}
}

func TestNewRefusesAnEndpointThatIsNone(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"hub", "ftp://hub", "http://", "://"} {
		if _, err := hub.New(hub.Options{Endpoint: endpoint}); err == nil {
			t.Errorf("%q is taken", endpoint)
		}
	}
}

func TestValidName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"all-MiniLM-L6-v2": true, "sentence-transformers/all-MiniLM-L6-v2": true, "BAAI/bge-small-en-v1.5": true,
		"": false, "a/b/c": false, "../b": false, "a/..": false, "a--b/c": false, "/b": false, "a/": false, "a b": false, `a\b`: false,
	} {
		if hub.ValidName(name) != want {
			t.Errorf("ValidName(%q) = %v", name, !want)
		}
	}
}

func TestParquet(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	h.AddDataset("org/data", map[string][]byte{"v2/0.parquet": large})
	h.SetParquet("org/data", "v2", "train", "v2/0.parquet")
	c, _ := newClient(t, hub.Options{Endpoint: h.URL})
	got, err := c.Parquet(t.Context(), "org/data", "v2", "train")
	if err != nil || len(got) != 1 || got[0] != h.URL+"/datasets/org/data/resolve/main/v2/0.parquet" {
		t.Errorf("Parquet = %v, %v", got, err)
	}
	if _, err := c.Parquet(t.Context(), "org/data", "v2", "test"); err == nil {
		t.Error("a split without files is no error")
	}
}
