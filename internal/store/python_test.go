package store

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/store/hubtest"
)

// python runs a program that uses huggingface_hub on the store's cache.
func python(t *testing.T, s *Store, h *hubtest.Hub, program string) string {
	t.Helper()
	interpreter := os.Getenv("PACELINE_PYTHON")
	if interpreter == "" {
		t.Skip("PACELINE_PYTHON is not set: no Python with huggingface_hub to share the cache with")
	}
	if err := exec.Command(interpreter, "-c", "import huggingface_hub").Run(); err != nil {
		t.Skipf("%s has no huggingface_hub: %v", interpreter, err)
	}
	cmd := exec.CommandContext(t.Context(), interpreter, "-c", "import huggingface_hub as hf\n"+program)
	cmd.Env = append(os.Environ(), "HF_ENDPOINT="+h.URL, "HF_HUB_CACHE="+s.o.Cache, "HF_HOME="+t.TempDir(),
		"HF_HUB_DISABLE_XET=1", "HF_HUB_OFFLINE=0", "TRANSFORMERS_OFFLINE=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// TestPythonReadsWhatWeFetched: the client downloads nothing and finds the cache in order.
func TestPythonReadsWhatWeFetched(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	commit := h.AddModel(modelName, repository())
	s, _ := newStore(t, h)
	if _, err := s.Open(t.Context(), modelName); err != nil {
		t.Fatal(err)
	}
	before := h.Downloads("model.safetensors")
	out := python(t, s, h, `
print(hf.hf_hub_download("org/model", "model.safetensors"))
print(hf.snapshot_download("org/model", local_files_only=True))
info = hf.scan_cache_dir()
print([(r.repo_id, [(v.commit_hash, len(v.files), sorted(v.refs)) for v in r.revisions]) for r in info.repos], info.warnings)`)
	if want := "[('org/model', [('" + commit + "', 5, ['main'])])] []"; !strings.Contains(out, want) {
		t.Errorf("the client says %s, want %s", out, want)
	}
	if n := h.Downloads("model.safetensors") - before; n != 0 {
		t.Errorf("the client asked for the weights again, %d times", n)
	}
}

// TestWeReadWhatPythonFetched holds the test hub to the real client as well.
func TestWeReadWhatPythonFetched(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	commit := h.AddModel(modelName, repository())
	s, _ := newStore(t, h)
	out := python(t, s, h, `
for path in `+"['"+strings.Join(neededFiles, "', '")+"']"+`:
    hf.hf_hub_download("org/model", path)
for name, path, revision in (("org/other", "config.json", None), ("org/model", "absent.json", None), ("org/model", "config.json", "v9")):
    try:
        hf.hf_hub_download(name, path, revision=revision)
    except Exception as e:
        print(type(e).__name__)`)
	if got := strings.Fields(out); len(got) != 3 || got[0] != "RepositoryNotFoundError" || !strings.HasSuffix(got[1], "EntryNotFoundError") || got[2] != "RevisionNotFoundError" {
		t.Errorf("the client says %q of the test hub's errors", got)
	}
	s.o.Offline, s.o.Transport = true, deadNetwork{t}
	r, err := s.Open(t.Context(), modelName)
	if err != nil || r.Revision != commit {
		t.Fatalf("Open = %+v, %v", r, err)
	}
	wantTree(t, r.Dir, repository(), neededFiles)
	v, err := s.Verify(t.Context(), modelName)
	if err != nil || len(v.Bad()) > 0 || v.Files[0].State != StateOK {
		t.Errorf("Verify = %+v, %v", v, err)
	}
}
