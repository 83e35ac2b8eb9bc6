package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/store/hub"
	"github.com/paceline/paceline/internal/store/hubtest"
)

// offlineStore has caches in a new folder and may touch no network.
func offlineStore(t *testing.T) *Store {
	s, _ := newStore(t, nil)
	s.o.Offline = true
	s.o.Transport = deadNetwork{t}
	return s
}

// put writes files below a folder.
func put(t *testing.T, dir string, files map[string][]byte, paths ...string) {
	t.Helper()
	for _, path := range paths {
		file := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, files[path], 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const commit = "0123456789abcdef0123456789abcdef01234567"

// pythonCache writes a snapshot as another program left it: plain files do, and
// refs/main names its commit.
func pythonCache(t *testing.T, s *Store, paths ...string) (base, snapshot string) {
	t.Helper()
	base = filepath.Join(s.o.Cache, "models--org--model")
	snapshot = filepath.Join(base, "snapshots", commit)
	put(t, snapshot, repository(), paths...)
	put(t, base, map[string][]byte{"refs/main": []byte(commit)}, "refs/main")
	return base, snapshot
}

func TestOfflineUsesAnotherProgramsCache(t *testing.T) {
	t.Parallel()
	s := offlineStore(t)
	_, snapshot := pythonCache(t, s, neededFiles...)
	for _, name := range []string{modelName, modelName + "@main", modelName + "@" + commit} {
		if r, err := s.Open(t.Context(), name); err != nil || r.Dir != snapshot || r.Revision != commit {
			t.Errorf("Open(%q) = %+v, %v", name, r, err)
		}
		if _, err := s.Pull(t.Context(), name); err != nil {
			t.Errorf("Pull(%q): %v", name, err)
		}
	}
}

func TestOfflineSaysWhatIsMissingAndWhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		model string
		there []string
		want  []string
	}{
		"nothing":       {modelName, nil, []string{"HF_HUB_OFFLINE is set", "models--org--model (no revision main): config.json", "model.safetensors"}},
		"known":         {"all-MiniLM-L6-v2", nil, []string{"models--sentence-transformers--all-MiniLM-L6-v2 (no revision main): 1_Pooling/config.json, config.json", "vocab.txt"}},
		"no weights":    {modelName, []string{"config.json", "modules.json", "1_Pooling/config.json", "tokenizer.json"}, []string{commit + ": model.safetensors"}},
		"no pooling":    {modelName, []string{"config.json", "modules.json", "tokenizer.json", "model.safetensors"}, []string{commit + ": 1_Pooling/config.json"}},
		"no tokenizer":  {modelName, []string{"config.json", "modules.json", "1_Pooling/config.json", "model.safetensors"}, []string{commit + ": tokenizer.json"}},
		"no pipeline":   {modelName, []string{"config.json", "tokenizer.json", "model.safetensors"}, []string{commit + ": modules.json", "give the folder as the model"}},
		"other program": {modelName, []string{"README.md"}, []string{commit + ": modules.json, config.json, tokenizer.json, model.safetensors"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := offlineStore(t)
			if c.there != nil {
				pythonCache(t, s, c.there...)
			}
			_, err := s.Open(t.Context(), c.model)
			var lacking *MissingError
			if !errors.Is(err, ErrOffline) || !errors.As(err, &lacking) {
				t.Fatalf("error %v, want ErrOffline in a *MissingError", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			if !strings.Contains(err.Error(), s.o.Cache) {
				t.Errorf("error %q does not say where", err)
			}
		})
	}
}

func TestHalfASnapshotIsCompleted(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	h.AddModel(modelName, repository())
	s, _ := newStore(t, h)
	if _, err := s.Open(t.Context(), modelName); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), modelName)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(r.Dir, "1_Pooling", "config.json")); err != nil {
		t.Fatal(err)
	}
	if r, err = s.Open(t.Context(), modelName); err != nil {
		t.Fatal(err)
	}
	wantTree(t, r.Dir, repository(), neededFiles)
	if n := h.Downloads("model.safetensors"); n != 2 {
		t.Errorf("the weights were asked for %d times, want 2 (hub and storage, once)", n)
	}
}

func TestUnreachableWithoutPackage(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, nil)
	s.o.Transport = deadNetwork{}
	_, err := s.Open(t.Context(), modelName)
	if !errors.Is(err, hub.ErrUnreachable) || !strings.Contains(err.Error(), "HF_ENDPOINT") {
		t.Errorf("error %v, want ErrUnreachable with a way out", err)
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	s := offlineStore(t)
	dir := filepath.Join(t.TempDir(), "mine")
	put(t, dir, repository(), neededFiles...)
	r, err := s.Open(t.Context(), dir)
	if err != nil || r.Dir != dir || r.Revision != "" {
		t.Fatalf("Open = %+v, %v", r, err)
	}
	if text, err := r.FS().Open("1_Pooling/config.json"); err != nil {
		t.Error(err)
	} else if err := text.Close(); err != nil {
		t.Error(err)
	}
	empty := t.TempDir()
	if _, err := s.Open(t.Context(), empty); err == nil || !strings.Contains(err.Error(), empty) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := s.Open(t.Context(), filepath.Join(empty, "absent")); err == nil || !strings.Contains(err.Error(), "neither a folder nor a name") {
		t.Errorf("an absent folder: %v", err)
	}
}
