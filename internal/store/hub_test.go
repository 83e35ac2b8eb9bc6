package store

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/store/hfcache"
	"github.com/paceline/paceline/internal/store/hub"
	"github.com/paceline/paceline/internal/store/hubtest"
)

func TestOpenFetchesWhatIsNeeded(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	commit := h.AddModel(modelName, repository())
	s, _ := newStore(t, h)
	r, err := s.Open(t.Context(), modelName)
	if err != nil {
		t.Fatal(err)
	}
	if r.Name != modelName || r.Revision != commit {
		t.Errorf("got %+v, want revision %s", r, commit)
	}
	wantTree(t, r.Dir, repository(), neededFiles)
	set, err := r.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if w, ok := set.Tensor("w"); !ok || !bytes.Equal(w.Data, weights[len(weights)-300_000:]) {
		t.Error("the tensor is not what the hub has")
	}
	asked := len(h.Requests())
	again, err := s.Open(t.Context(), modelName)
	if err != nil || again.Dir != r.Dir {
		t.Errorf("the second Open: %+v, %v", again, err)
	}
	if n := len(h.Requests()); n != asked {
		t.Errorf("the second Open sent %d requests", n-asked)
	}
}

// TestLayoutIsThePythonClients holds the cache to the layout that huggingface_hub
// documents: relative links into blobs named by hash, and the commit in refs/main.
func TestLayoutIsThePythonClients(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	commit := h.AddModel(modelName, repository())
	s, _ := newStore(t, h)
	if _, err := s.Open(t.Context(), modelName); err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(s.o.Cache, "models--org--model")
	if ref, err := os.ReadFile(filepath.Join(base, "refs", "main")); string(ref) != commit {
		t.Errorf("refs/main holds %q, %v", ref, err)
	}
	for path, target := range map[string]string{
		"model.safetensors":     "../../blobs/" + hubtest.SHA256(weights),
		"1_Pooling/config.json": "../../../blobs/" + hubtest.BlobID(repository()["1_Pooling/config.json"]),
	} {
		if got, err := os.Readlink(filepath.Join(base, "snapshots", commit, path)); got != target {
			t.Errorf("%s links to %q (%v), want %q", path, got, err, target)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(base, "blobs", "*.incomplete")); left != nil {
		t.Errorf("left %v", left)
	}
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	first := h.AddModel(modelName, repository())
	h.Tag(modelName, "v1", first)
	changed := repository()
	changed["config.json"] = []byte(`{"model_type":"mpnet"}`)
	second := h.AddModel(modelName, changed)
	s, _ := newStore(t, h)
	for name, want := range map[string]string{modelName: second, modelName + "@v1": first, modelName + "@" + first: first, modelName + "@main": second} {
		r, err := s.Open(t.Context(), name)
		if err != nil || r.Revision != want {
			t.Errorf("Open(%q) = %+v, %v; want revision %s", name, r, err, want)
		}
	}
	if n := h.Downloads("model.safetensors"); n != 2 { // one at the hub, which redirects, and one at the storage
		t.Errorf("%d requests for weights that both revisions share, want 2", n)
	}
	if _, err := s.Open(t.Context(), modelName+"@v2"); !errors.Is(err, hub.ErrRevisionNotFound) {
		t.Errorf("a revision that does not exist: %v", err)
	}
}

func TestPullFollowsTheBranch(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	first := h.AddModel(modelName, repository())
	s, log := newStore(t, h)
	if _, err := s.Open(t.Context(), modelName); err != nil {
		t.Fatal(err)
	}
	changed := repository()
	changed["config.json"] = []byte(`{"model_type":"mpnet"}`)
	second := h.AddModel(modelName, changed)
	if r, err := s.Open(t.Context(), modelName); err != nil || r.Revision != first {
		t.Errorf("Open = %+v, %v; want the cached %s", r, err, first)
	}
	if r, err := s.Pull(t.Context(), modelName); err != nil || r.Revision != second {
		t.Errorf("Pull = %+v, %v; want %s", r, err, second)
	}
	s.o.Transport = deadNetwork{}
	if r, err := s.Pull(t.Context(), modelName); err != nil || r.Revision != second {
		t.Errorf("Pull without a hub = %+v, %v; want the cached %s", r, err, second)
	}
	if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "unreachable") {
		t.Errorf("log %q, want one line that says the hub is unreachable", lines)
	}
}

func TestNoModulesJSONIsRemembered(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	files := repository()
	delete(files, "modules.json")
	delete(files, "1_Pooling/config.json")
	h.AddModel(modelName, files)
	s, _ := newStore(t, h)
	if _, err := s.Open(t.Context(), modelName); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(s.o.Own); err != nil { // as if Python had fetched it
		t.Fatal(err)
	}
	s.o.Offline = true
	if _, err := s.Open(t.Context(), modelName); err != nil {
		t.Errorf("the cache knows that there is no modules.json, and yet: %v", err)
	}
}

func TestCorruptDownloadGetsNoName(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	h.AddModel(modelName, repository())
	h.FailStorage(http.MethodGet, "/model.safetensors", hubtest.Fault{Corrupt: true})
	s, _ := newStore(t, h)
	_, err := s.Open(t.Context(), modelName)
	var mismatch *hfcache.HashError
	if !errors.As(err, &mismatch) || mismatch.Want != hubtest.SHA256(weights) {
		t.Fatalf("error %v, want a *HashError that wants the weights' hash", err)
	}
	base := filepath.Join(s.o.Cache, "models--org--model")
	for _, path := range []string{"snapshots", "refs", "blobs/" + mismatch.Want} {
		if _, err := os.Stat(filepath.Join(base, path)); err == nil {
			t.Errorf("%s exists", path)
		}
	}
	if _, err := s.Open(t.Context(), modelName); err != nil {
		t.Errorf("after a corrupt download the next one fails: %v", err)
	}
}

func TestIncompleteIsResumed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		left   []byte
		ranges []string
	}{
		"good":    {weights[:100_000], []string{"bytes=100000-"}},
		"garbage": {bytes.Repeat([]byte("x"), 1000), []string{"bytes=1000-", ""}}, // found out by the hash, then fetched anew
		"longer":  {append(bytes.Clone(weights), 'x'), []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := hubtest.New(t)
			h.AddModel(modelName, repository())
			s, _ := newStore(t, h)
			blobs := filepath.Join(s.o.Cache, "models--org--model", "blobs")
			if err := os.MkdirAll(blobs, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(blobs, hubtest.SHA256(weights)+".incomplete"), c.left, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := s.Open(t.Context(), modelName)
			if err != nil {
				t.Fatal(err)
			}
			wantTree(t, r.Dir, repository(), neededFiles)
			var ranges []string
			for _, q := range h.Requests() {
				if q.Storage && strings.HasSuffix(q.Path, "/model.safetensors") {
					ranges = append(ranges, q.Range)
				}
			}
			if !slices.Equal(ranges, c.ranges) {
				t.Errorf("ranges %q, want %q", ranges, c.ranges)
			}
		})
	}
}

func TestPickleOnly(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	files := repository()
	delete(files, "model.safetensors")
	h.AddModel(modelName, files)
	s, _ := newStore(t, h)
	_, err := s.Open(t.Context(), modelName)
	if !errors.Is(err, ErrPickle) || !strings.Contains(err.Error(), "paceline models convert DIR") {
		t.Errorf("error %v, want ErrPickle with a way out", err)
	}
}

// cancelling is a Progress that ends the context once bytes flow.
type cancelling struct{ cancel context.CancelFunc }

func (c cancelling) Begin(string, int64) Task { return c }
func (c cancelling) Add(n int64) {
	if n > 0 {
		c.cancel()
	}
}
func (c cancelling) End(bool) {}

func TestCancelEndsADownload(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	h.AddModel(modelName, repository())
	h.FailStorage(http.MethodGet, "/model.safetensors", hubtest.Fault{After: 1000, Stall: true})
	s, _ := newStore(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	s.o.Progress = cancelling{cancel}
	if _, err := s.Open(ctx, modelName); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestProgressAddsUp(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	h.AddModel(modelName, repository())
	h.FailStorage(http.MethodGet, "/model.safetensors", hubtest.Fault{After: 70_000}, hubtest.Fault{NoRange: true})
	s, _ := newStore(t, h)
	count := &counting{}
	s.o.Progress = count
	if _, err := s.Open(t.Context(), modelName); err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, path := range neededFiles {
		total += int64(len(repository()[path]))
	}
	if count.total != total || count.sum.Load() != total || !count.ok {
		t.Errorf("announced %d, told %d, ok %v; want %d", count.total, count.sum.Load(), count.ok, total)
	}
}
