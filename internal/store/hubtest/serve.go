package hubtest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// watched notes the request and lets a scripted fault answer in its place.
func (h *Hub) watched(storage bool, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.requests = append(h.requests, Request{r.Method, r.URL.Path, storage, r.Header.Get("Range"), r.Header.Get("Authorization")})
		fault := h.takeFault(r, storage)
		h.mu.Unlock()
		if fault == nil {
			next(w, r)
			return
		}
		fault.answer(h, w, r, next)
	})
}

func (h *Hub) serveHub(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	switch {
	case path == "":
		return
	case strings.HasPrefix(path, "api/"):
		h.serveAPI(w, r, strings.TrimPrefix(path, "api/"))
	default:
		if !strings.HasPrefix(path, "datasets/") {
			path = "models/" + path
		}
		key, rest, ok := strings.Cut(path, "/resolve/")
		revision, file, found := strings.Cut(rest, "/")
		if !ok || !found {
			fail(w, http.StatusNotFound, "")
			return
		}
		h.serveFile(w, r, key, unescape(revision), unescape(file))
	}
}

// serveAPI answers models/{repo}/revision/{revision} and datasets/{repo}/parquet/{config}/{split}.
func (h *Hub) serveAPI(w http.ResponseWriter, r *http.Request, path string) {
	if key, revision, ok := strings.Cut(path, "/revision/"); ok {
		repo, commit := h.find(w, r, key, unescape(revision))
		if repo != nil {
			h.writeInfo(w, repo, key, commit)
		}
		return
	}
	if key, which, ok := strings.Cut(path, "/parquet/"); ok {
		if repo, _ := h.find(w, r, key, "main"); repo != nil {
			addresses := []string{}
			for _, file := range repo.parquet[which] {
				addresses = append(addresses, h.URL+"/"+key+"/resolve/main/"+file)
			}
			writeJSON(w, addresses)
		}
		return
	}
	fail(w, http.StatusNotFound, "")
}

func (h *Hub) writeInfo(w http.ResponseWriter, repo *repo, key, commit string) {
	type sibling struct {
		Name string `json:"rfilename"`
	}
	siblings := []sibling{}
	for _, path := range slices.Sorted(maps.Keys(repo.files[commit])) {
		siblings = append(siblings, sibling{path})
	}
	_, name, _ := strings.Cut(key, "/")
	writeJSON(w, map[string]any{"id": name, "sha": commit, "siblings": siblings, "gated": repo.gated, "tags": repo.tags})
}

// find looks up a repository at a revision, or answers with the hub's errors.
func (h *Hub) find(w http.ResponseWriter, r *http.Request, key, revision string) (*repo, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	repo := h.repos[key]
	if repo == nil || (h.Token != "" && r.Header.Get("Authorization") != "Bearer "+h.Token) {
		fail(w, http.StatusUnauthorized, "RepoNotFound") // it does not tell whether there is one
		return nil, ""
	}
	commit, ok := repo.refs[revision]
	if !ok {
		commit = revision
	}
	if repo.files[commit] == nil {
		fail(w, http.StatusNotFound, "RevisionNotFound")
		return nil, ""
	}
	return repo, commit
}

func (h *Hub) serveFile(w http.ResponseWriter, r *http.Request, key, revision, path string) {
	repo, commit := h.find(w, r, key, revision)
	if repo == nil {
		return
	}
	if repo.gated {
		fail(w, http.StatusForbidden, "GatedRepo")
		return
	}
	w.Header().Set("X-Repo-Commit", commit)
	content, ok := repo.files[commit][path]
	if !ok {
		fail(w, http.StatusNotFound, "EntryNotFound")
		return
	}
	if len(content) < largeFrom {
		w.Header().Set("ETag", `"`+BlobID(content)+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		return
	}
	w.Header().Set("X-Linked-Etag", `"`+SHA256(content)+`"`)
	w.Header().Set("X-Linked-Size", itoa(len(content)))
	w.Header().Set("Location", h.Storage+"/"+key+"/"+commit+"/"+path+"?signature=secret")
	w.WriteHeader(http.StatusFound)
}

// serveStorage refuses a request with the hub's token, as signed addresses do.
func (h *Hub) serveStorage(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		http.Error(w, "only one auth mechanism allowed", http.StatusBadRequest)
		return
	}
	if r.URL.Query().Get("signature") != "secret" {
		http.Error(w, "unsigned", http.StatusForbidden)
		return
	}
	content := h.stored(r.URL.Path)
	if content == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", `"storage-has-its-own"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// stored finds a file by its storage path, /models/org/name/{commit}/{path}.
func (h *Hub) stored(address string) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	for key, repo := range h.repos {
		for commit, files := range repo.files {
			for path, content := range files {
				if address == "/"+key+"/"+commit+"/"+path {
					return content
				}
			}
		}
	}
	return nil
}

func fail(w http.ResponseWriter, status int, code string) {
	if code != "" {
		w.Header().Set("X-Error-Code", code)
		w.Header().Set("X-Error-Message", "the test hub says "+code)
	}
	w.WriteHeader(status)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
