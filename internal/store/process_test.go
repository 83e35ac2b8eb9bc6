package store

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/store/hubtest"
)

// child is this test binary, pulling the model into the store's caches.
func child(t *testing.T, s *Store, h *hubtest.Hub) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "STORE_TEST_PULL="+modelName, "HF_HUB_CACHE="+s.o.Cache, "PACELINE_CACHE="+s.o.Own,
		"HF_ENDPOINT="+h.URL, "HF_HUB_OFFLINE=", "TRANSFORMERS_OFFLINE=")
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

// TestTwoProcessesPullAtOnce: while the storage keeps the first waiting half-way,
// the second comes; it waits for the lock, says so, and fetches nothing again.
func TestTwoProcessesPullAtOnce(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	commit := h.AddModel(modelName, repository())
	release := h.HoldStorage(http.MethodGet, "/model.safetensors", 100_000)
	s, _ := newStore(t, h)
	first, firstOut := child(t, s, h)
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	<-release.Reached
	second, secondOut := child(t, s, h)
	waiting := newWaiter(secondOut, "waiting for another process")
	second.Stdout, second.Stderr = waiting, waiting
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	<-waiting.seen
	release.Release()
	for _, p := range []struct {
		cmd *exec.Cmd
		out *bytes.Buffer
	}{{first, firstOut}, {second, secondOut}} {
		if err := p.cmd.Wait(); err != nil || !strings.Contains(p.out.String(), commit) {
			t.Errorf("a process ended with %v: %s", err, p.out)
		}
	}
	r, err := s.Open(t.Context(), modelName)
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, r.Dir, repository(), neededFiles)
	if n := h.Downloads("model.safetensors"); n != 2 {
		t.Errorf("the weights were asked for %d times, want 2 (hub and storage, once)", n)
	}
}

// TestKilledHalfWay: a process killed in the middle leaves no snapshot and no
// lock, and what it had is used.
func TestKilledHalfWay(t *testing.T) {
	t.Parallel()
	h := hubtest.New(t)
	h.AddModel(modelName, repository())
	release := h.HoldStorage(http.MethodGet, "/model.safetensors", 200_000)
	s, _ := newStore(t, h)
	cmd, out := child(t, s, h)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-release.Reached
	waitForBytes(t, filepath.Join(s.o.Cache, "models--org--model", "blobs", hubtest.SHA256(weights)+".incomplete"))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatalf("the process ended by itself: %s", out)
	}
	release.Release()
	if _, err := os.Stat(filepath.Join(s.o.Cache, "models--org--model", "snapshots")); err == nil {
		t.Error("half a download was published")
	}
	s.o.Offline = true
	if _, err := s.Open(t.Context(), modelName); err == nil {
		t.Error("half a download was opened")
	}
	s.o.Offline = false
	r, err := s.Open(t.Context(), modelName)
	if err != nil {
		t.Fatal(err)
	}
	wantTree(t, r.Dir, repository(), neededFiles)
	resumed := slices.ContainsFunc(h.Requests(), func(q hubtest.Request) bool {
		return q.Storage && strings.HasSuffix(q.Path, "/model.safetensors") && q.Range != ""
	})
	if !resumed {
		t.Error("the weights were fetched from their start again")
	}
}

// waitForBytes returns once the file holds something.
func waitForBytes(t *testing.T, path string) {
	t.Helper()
	for {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return
		}
		if t.Context().Err() != nil {
			t.Fatalf("%s stays empty", path)
		}
		runtime.Gosched()
	}
}

// waiter collects output and tells when some words have come.
type waiter struct {
	out  *bytes.Buffer
	want string
	seen chan struct{}
	once bool
}

func newWaiter(out *bytes.Buffer, want string) *waiter {
	return &waiter{out: out, want: want, seen: make(chan struct{})}
}

// Write is called by one goroutine, os/exec's, as both streams go here.
func (w *waiter) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	if !w.once && strings.Contains(w.out.String(), w.want) {
		w.once = true
		close(w.seen)
	}
	return n, err
}
