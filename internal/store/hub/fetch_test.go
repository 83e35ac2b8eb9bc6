package hub_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/store/hub"
	"github.com/paceline/paceline/internal/store/hubtest"
)

// fetch downloads the large file on top of what is there already.
func fetch(t *testing.T, c *hub.Client, repo hub.Repo, there []byte) ([]byte, int64, error) {
	t.Helper()
	file, err := c.Stat(t.Context(), repo, "model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "f.incomplete")
	if err := os.WriteFile(path, there, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var told int64
	err = c.Fetch(t.Context(), file, out, func(n int64) { told += n })
	content, readErr := os.ReadFile(path)
	if readErr != nil {
		t.Fatal(readErr)
	}
	return content, told, err
}

func TestFetchSurvives(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		there  []byte
		faults []hubtest.Fault
		ranges []string // of the requests to storage
	}{
		"nothing there":         {nil, nil, []string{""}},
		"half there":            {large[:1000], nil, []string{"bytes=1000-"}},
		"all there":             {large, nil, nil},
		"more there than fits":  {append(bytes.Clone(large), 'x'), nil, []string{""}},
		"cut half-way":          {nil, []hubtest.Fault{{After: 70000}}, []string{"", "bytes=70000-"}},
		"cut twice":             {nil, []hubtest.Fault{{After: 70000}, {After: 30000}}, []string{"", "bytes=70000-", "bytes=100000-"}},
		"cut before the body":   {nil, []hubtest.Fault{{}}, []string{"", ""}},
		"silent half-way":       {nil, []hubtest.Fault{{After: 70000, Stall: true}}, []string{"", "bytes=70000-"}},
		"no ranges":             {large[:1000], []hubtest.Fault{{NoRange: true}}, []string{"bytes=1000-"}},
		"500, 503 and 429":      {nil, []hubtest.Fault{{Status: 500}, {Status: 503}, {Status: 429}}, []string{"", "", "", ""}},
		"cut, then unavailable": {nil, []hubtest.Fault{{After: 70000}, {Status: 503}}, []string{"", "bytes=70000-", "bytes=70000-"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, repo := newHub(t)
			client, _ := newClient(t, hub.Options{Endpoint: h.URL, Stall: 50 * time.Millisecond})
			h.FailStorage(http.MethodGet, "/model.safetensors", c.faults...)
			got, told, err := fetch(t, client, repo, c.there)
			if err != nil || !bytes.Equal(got, large) {
				t.Fatalf("%d bytes of %d arrived, error %v", len(got), len(large), err)
			}
			if told != int64(len(large)) {
				t.Errorf("told of %d bytes, want %d", told, len(large))
			}
			var ranges []string
			for _, r := range h.Requests() {
				if r.Storage {
					ranges = append(ranges, r.Range)
				}
			}
			if strings.Join(ranges, "|") != strings.Join(c.ranges, "|") || len(ranges) != len(c.ranges) {
				t.Errorf("ranges %q, want %q", ranges, c.ranges)
			}
		})
	}
}

func TestFetchGivesUp(t *testing.T) {
	t.Parallel()
	h, repo := newHub(t)
	c, waited := newClient(t, hub.Options{Endpoint: h.URL})
	h.FailStorage(http.MethodGet, "/model.safetensors", make([]hubtest.Fault, 50)...) // cut at byte 0, again and again
	_, _, err := fetch(t, c, repo, nil)
	if err == nil || !strings.Contains(err.Error(), "0 of 262144 bytes") {
		t.Errorf("error %v, want one that counts the bytes", err)
	}
	if len(waited.list) != 4 {
		t.Errorf("waited %v, want 4 waits between 5 tries", waited.list)
	}
}

func TestTokenStaysAtTheHub(t *testing.T) {
	t.Parallel()
	h, repo := newHub(t)
	h.Token = "hf_secret"
	anonymous, _ := newClient(t, hub.Options{Endpoint: h.URL})
	if _, err := anonymous.Info(t.Context(), repo); !errors.Is(err, hub.ErrRepoNotFound) {
		t.Fatalf("without a token: %v", err)
	}
	c, _ := newClient(t, hub.Options{Endpoint: h.URL, Token: "hf_secret"})
	if _, _, err := fetch(t, c, repo, nil); err != nil {
		t.Fatal(err)
	}
	for _, r := range h.Requests()[1:] {
		if want := !r.Storage; (r.Authorization == "Bearer hf_secret") != want {
			t.Errorf("%s %s (storage: %v) has Authorization %q", r.Method, r.Path, r.Storage, r.Authorization)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	h, repo := newHub(t)
	c, waited := newClient(t, hub.Options{Endpoint: h.URL})
	h.FailHub(http.MethodGet, "/revision/"+repo.Revision, hubtest.Fault{Status: 429, RetryAfter: "7"})
	if _, err := c.Info(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	if len(waited.list) != 1 || waited.list[0] != 7*time.Second {
		t.Errorf("waited %v, want 7s", waited.list)
	}
	h.FailHub(http.MethodGet, "/revision/"+repo.Revision, hubtest.Fault{Status: 429, RetryAfter: "3600"})
	if _, err := c.Info(t.Context(), repo); err == nil || !strings.Contains(err.Error(), "1h0m0s, longer than the 1m0s") {
		t.Errorf("error %v, want one that names both waits", err)
	}
}

func TestServerErrorsHaveALimit(t *testing.T) {
	t.Parallel()
	h, repo := newHub(t)
	c, waited := newClient(t, hub.Options{Endpoint: h.URL})
	for range 50 {
		h.FailHub(http.MethodGet, "/revision/"+repo.Revision, hubtest.Fault{Status: 502})
	}
	_, err := c.Info(t.Context(), repo)
	if err == nil || !strings.Contains(err.Error(), "gave up after 5 tries") || !strings.Contains(err.Error(), "502") {
		t.Errorf("error %v", err)
	}
	for i, d := range waited.list {
		if low := 500 * time.Millisecond << i; d < low || d >= low*3/2 {
			t.Errorf("wait %d is %v, want from %v to half as much again", i, d, low)
		}
	}
}

func TestRemoteReadsPieces(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	h.Token = "hf_secret"
	h.AddDataset("org/data", map[string][]byte{"0.parquet": large, "1.parquet": small})
	h.SetParquet("org/data", "default", "train", "0.parquet", "1.parquet")
	c, _ := newClient(t, hub.Options{Endpoint: h.URL, Token: "hf_secret"})
	addresses, err := c.Parquet(t.Context(), "org/data", "default", "train")
	if err != nil {
		t.Fatal(err)
	}
	for i, content := range [][]byte{large, small} {
		remote, err := c.OpenRemote(t.Context(), addresses[i])
		if err != nil || remote.Size() != int64(len(content)) {
			t.Fatalf("OpenRemote = %+v, %v", remote, err)
		}
		got, err := io.ReadAll(io.NewSectionReader(remote, 3, remote.Size()))
		if err != nil || !bytes.Equal(got, content[3:]) {
			t.Errorf("%d bytes, %v; want %d", len(got), err, len(content)-3)
		}
		if n, err := remote.ReadAt(make([]byte, 5), remote.Size()-2); n != 2 || err != io.EOF {
			t.Errorf("over the end: %d, %v", n, err)
		}
		if n, err := remote.ReadAt(make([]byte, 5), remote.Size()+1); n != 0 || err != io.EOF {
			t.Errorf("beyond the end: %d, %v", n, err)
		}
	}
}

func TestRemoteSurvives(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	h.AddDataset("org/data", map[string][]byte{"0.parquet": large})
	c, _ := newClient(t, hub.Options{Endpoint: h.URL})
	remote, err := c.OpenRemote(t.Context(), h.URL+"/datasets/org/data/resolve/main/0.parquet")
	if err != nil {
		t.Fatal(err)
	}
	h.FailStorage(http.MethodGet, "/0.parquet", hubtest.Fault{After: 100}, hubtest.Fault{Status: 503}, hubtest.Fault{After: 50})
	got := make([]byte, 1000)
	if n, err := remote.ReadAt(got, 5000); n != 1000 || err != nil || !bytes.Equal(got, large[5000:6000]) {
		t.Errorf("%d bytes, %v", n, err)
	}
	h.FailStorage(http.MethodGet, "/0.parquet", hubtest.Fault{NoRange: true})
	if n, err := remote.ReadAt(got, 5000); n != 0 || err == nil || !strings.Contains(err.Error(), "not the range") {
		t.Errorf("without ranges: %d bytes, %v", n, err)
	}
	h.FailStorage(http.MethodGet, "/0.parquet", make([]hubtest.Fault, 20)...)
	if n, err := remote.ReadAt(got, 5000); n != 0 || err == nil {
		t.Errorf("for ever cut: %d bytes, %v", n, err)
	}
	if _, err := c.OpenRemote(t.Context(), h.URL+"/datasets/org/data/resolve/main/absent"); !errors.Is(err, hub.ErrEntryNotFound) {
		t.Errorf("an absent file: %v", err)
	}
}
