package store

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/paceline/paceline/internal/store/hubtest"
)

// TestMain makes this test binary play two more parts: a process that pulls a
// model, and the pip of the machine.
func TestMain(m *testing.M) {
	if os.Getenv("STORE_TEST_PULL") != "" {
		os.Exit(pullAsChild())
	}
	if filepath.Base(os.Args[0]) == "python3" {
		os.Exit(fakePip(os.Args[1:]))
	}
	bin, err := os.MkdirTemp("", "paceline-fake-pip")
	if err == nil {
		err = installFakePip(bin)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(bin)
		os.Exit(code)
	}))
}

// installFakePip makes this binary the only python3 on PATH.
func installFakePip(bin string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	err = errors.Join(os.Setenv("PATH", bin), os.Setenv("GORACE", "atexit_sleep_ms=0")) // children of a -race test would linger
	if err != nil {
		return err
	}
	return os.Symlink(self, filepath.Join(bin, "python3"))
}

// fakePip understands `-m pip --version` and `-m pip download … --dest DIR NAME==VERSION`,
// where NAME says what happens.
func fakePip(args []string) int {
	if len(args) == 3 && args[2] == "--version" {
		fmt.Println("pip 99 (fake)")
		return 0
	}
	requirement, dir := args[len(args)-1], ""
	for i, a := range args {
		if a == "--dest" {
			dir = args[i+1]
		}
	}
	name, _, _ := strings.Cut(requirement, "==")
	switch name {
	case "absent":
		fmt.Fprintln(os.Stderr, "ERROR: No matching distribution found for", requirement)
		return 1
	case "endless":
		return endless(dir)
	}
	wheel, err := os.ReadFile(filepath.Join(os.Getenv("STORE_TEST_WHEELS"), name+".whl"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+"-1.0-py3-none-any.whl"), wheel, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERROR:", err)
		return 1
	}
	return 0
}

// endless starts a child that, like itself, would go on for ever, and writes
// both process ids.
func endless(dir string) int {
	signal.Ignore(os.Interrupt)
	if os.Getenv("STORE_TEST_GRANDCHILD") == "" {
		child := exec.Command(os.Args[0], os.Args[1:]...)
		child.Env = append(os.Environ(), "STORE_TEST_GRANDCHILD=1")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			return 1
		}
		if err := os.WriteFile(filepath.Join(dir, "pids"), fmt.Appendf(nil, "%d %d", os.Getpid(), child.Process.Pid), 0o600); err != nil {
			return 1
		}
	}
	time.Sleep(time.Hour)
	return 0
}

// pullAsChild opens a model with the cache and hub that the environment names.
func pullAsChild() int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := New(FromEnvironment()).Open(ctx, os.Getenv("STORE_TEST_PULL"))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(r.Revision)
	return 0
}

const modelName = "org/model"

var modulesJSON = []byte(`[
	{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
	{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
	{"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]`)

// checkpoint is a safetensors file of one tensor of that many bytes.
func checkpoint(size int) []byte {
	header := fmt.Sprintf(`{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}`, size, size)
	file := append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header...)
	for i := range size {
		file = append(file, byte(i*7))
	}
	return file
}

var weights = checkpoint(300_000)

// repository is what a hub has of a model, with what need not be fetched.
func repository() map[string][]byte {
	return map[string][]byte{
		"config.json":           []byte(`{"model_type":"bert"}`),
		"modules.json":          modulesJSON,
		"1_Pooling/config.json": []byte(`{"pooling_mode_mean_tokens":true}`),
		"tokenizer.json":        bytes.Repeat([]byte(`{"version":"1.0"}`), 100),
		"model.safetensors":     weights,
		"pytorch_model.bin":     []byte("pickle"),
		"onnx/model.onnx":       []byte("onnx"),
		"README.md":             []byte("# model"),
	}
}

// neededFiles are those of repository that a pull brings.
var neededFiles = []string{"1_Pooling/config.json", "config.json", "model.safetensors", "modules.json", "tokenizer.json"}

// journal collects log lines.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) lines() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Split(strings.TrimSpace(j.text.String()), "\n")
}

// newStore makes a store with empty caches over a hub.
func newStore(t *testing.T, h *hubtest.Hub) (*Store, *journal) {
	t.Helper()
	o := Options{Cache: filepath.Join(t.TempDir(), "hf"), Own: filepath.Join(t.TempDir(), "own")}
	if h != nil {
		o.Endpoint = h.URL
	}
	return newStoreWith(o)
}

func newStoreWith(o Options) (*Store, *journal) {
	j := &journal{}
	o.Logger = slog.New(slog.NewTextHandler(j, nil))
	s := New(o)
	s.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return s, j
}

// deadNetwork fails every connection at once, and the test that forbids any.
type deadNetwork struct{ forbidden *testing.T }

func (d deadNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.forbidden != nil {
		d.forbidden.Errorf("%s %s: the network was touched", r.Method, r.URL)
	}
	return nil, fmt.Errorf("network is unreachable")
}

// tree reads every file below a folder, links followed.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func wantTree(t *testing.T, dir string, want map[string][]byte, paths []string) {
	t.Helper()
	got := tree(t, dir)
	if len(got) != len(paths) {
		t.Errorf("%s holds %d files, want %d", dir, len(got), len(paths))
	}
	for _, path := range paths {
		if !bytes.Equal(got[path], want[path]) {
			t.Errorf("%s: %d bytes, want %d others", path, len(got[path]), len(want[path]))
		}
	}
}

// wheel is a zip archive with the files below a prefix.
func wheel(t *testing.T, prefix string, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for path, content := range files {
		w, err := z.Create(prefix + path)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pins are the table that known.go would have for the files.
func pins(files map[string][]byte) []Pin {
	var list []Pin
	for _, path := range neededFiles {
		list = append(list, Pin{path, int64(len(files[path])), hubtest.SHA256(files[path])})
	}
	return list
}
