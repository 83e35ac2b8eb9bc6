// Package hubtest is a small Hugging Face Hub for tests, on loopback: it lists
// repositories at revisions, serves small files itself and large ones by a
// redirect to a second host, answers ranges, gives both kinds of ETag, asks for
// tokens, and fails on demand in the ways that networks do.
//
// It shares no code with the client it tests, so that a mistake in one is not
// hidden by the same mistake in the other.
package hubtest

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// largeFrom is the size from which a file counts as stored outside of git.
const largeFrom = 1 << 10

// Hub is a running hub with its storage host.
type Hub struct {
	URL     string // HF_ENDPOINT
	Storage string // the address of the host that large files lie on
	Token   string // when set, every repository asks for it

	mu       sync.Mutex
	repos    map[string]*repo // by "models/org/name" or "datasets/org/name"
	faults   []*scripted
	requests []Request
	closing  chan struct{}
}

type repo struct {
	files   map[string]map[string][]byte // commit, path
	refs    map[string]string            // branch or tag to commit
	tags    []string
	parquet map[string][]string // "config/split" to paths
	gated   bool
}

// Request is one request that the hub or its storage saw.
type Request struct {
	Method, Path         string
	Storage              bool // it went to the storage host
	Range, Authorization string
}

// New starts a hub that ends with the test.
func New(t testing.TB) *Hub {
	h := &Hub{repos: map[string]*repo{}, closing: make(chan struct{})}
	hub := httptest.NewServer(h.watched(false, h.serveHub))
	storage := httptest.NewServer(h.watched(true, h.serveStorage))
	h.URL = hub.URL
	h.Storage = strings.Replace(storage.URL, "127.0.0.1", "localhost", 1) // another host by name, as clients compare them
	t.Cleanup(func() {
		close(h.closing) // lets go of those who stall
		hub.Close()
		storage.Close()
	})
	return h
}

// AddModel stores a commit of a model's repository, moves its main branch there
// and returns the commit.
func (h *Hub) AddModel(name string, files map[string][]byte) string {
	return h.add("models/"+name, files)
}

// AddDataset stores a commit of a data set's repository as AddModel does.
func (h *Hub) AddDataset(name string, files map[string][]byte) string {
	return h.add("datasets/"+name, files)
}

func (h *Hub) add(key string, files map[string][]byte) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.repos[key]
	if r == nil {
		r = &repo{files: map[string]map[string][]byte{}, refs: map[string]string{}, parquet: map[string][]string{}, tags: []string{"license:apache-2.0"}}
		h.repos[key] = r
	}
	all := sha1.New()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(all, "%s %s\n", path, BlobID(files[path]))
	}
	commit := hex.EncodeToString(all.Sum(nil))
	r.files[commit] = maps.Clone(files)
	r.refs["main"] = commit
	return commit
}

// Tag gives a commit of a model a second name.
func (h *Hub) Tag(name, tag, commit string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.repos["models/"+name].refs[tag] = commit
}

// Gate makes a model's files need accepted terms.
func (h *Hub) Gate(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.repos["models/"+name].gated = true
}

// SetParquet says which files of a data set are the Parquet form of a split.
func (h *Hub) SetParquet(dataset, config, split string, paths ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.repos["datasets/"+dataset].parquet[config+"/"+split] = paths
}

// Requests lists what was asked so far.
func (h *Hub) Requests() []Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.requests)
}

// Downloads counts the GET requests for a path whose bytes came from either host.
func (h *Hub) Downloads(path string) int {
	n := 0
	for _, r := range h.Requests() {
		if r.Method == http.MethodGet && strings.HasSuffix(r.Path, "/"+path) && (r.Storage || !strings.HasPrefix(r.Path, "/api/")) {
			n++
		}
	}
	return n
}

// BlobID is git's name for a file: the SHA-1 of "blob {size}\0" and its content.
func BlobID(content []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(content)), content...))
	return hex.EncodeToString(sum[:])
}

// SHA256 is a file's SHA-256 in hexadecimal digits.
func SHA256(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
