//go:build unix

package pip

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets this binary be the pythons and pips of the tests, by its name.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "python3":
		fmt.Fprintln(os.Stderr, "No module named pip")
		os.Exit(1)
	case "pip":
		os.Exit(fake(os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}

// fake writes down its arguments and environment in place of a wheel.
func fake(args []string) int {
	if args[0] == "--version" {
		fmt.Println("pip 99")
		return 0
	}
	dir := args[slices.Index(args, "--dest")+1]
	switch requirement := args[len(args)-1]; requirement {
	case "good==1":
		text := strings.Join(args, " ") + "\n" + strings.Join(os.Environ(), "\n")
		if os.WriteFile(filepath.Join(dir, "good-1.whl"), []byte(text), 0o600) == nil {
			return 0
		}
	case "twice==1":
		for _, name := range []string{"a.whl", "b.whl"} {
			_ = os.WriteFile(filepath.Join(dir, name), nil, 0o600)
		}
		return 0
	case "full==1":
		fmt.Fprint(os.Stderr, "ERROR: Exception:\nTraceback (most recent call last):\n  File \"a.py\", line 1\nOSError: [Errno 28] No space left on device\n")
	default:
		fmt.Fprintf(os.Stderr, "Looking in indexes\nERROR: No matching distribution found for %s\nWARNING: old\n", requirement)
	}
	return 1
}

// install puts a broken python3 and a good pip on PATH.
func install(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, name := range []string{"python3", "pip"} {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	t.Setenv("GORACE", "atexit_sleep_ms=0")
}

func TestFindPassesByWhatDoesNotRun(t *testing.T) {
	install(t)
	p, err := Find(t.Context())
	if err != nil || !slices.Equal(p.Command, []string{"pip"}) || p.Version != "pip 99" {
		t.Errorf("Find = %+v, %v", p, err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(t.Context()); !errors.Is(err, ErrNotFound) {
		t.Errorf("without any: %v", err)
	}
}

func TestDownload(t *testing.T) {
	install(t)
	t.Setenv("PIP_INDEX_URL", "http://user.setting/simple")
	dir := t.TempDir()
	var have atomic.Int64
	p := Pip{Command: []string{"pip"}}
	wheel, err := p.Download(t.Context(), "good==1", dir, have.Store)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(wheel)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"--no-deps", "--only-binary=:all:", "TMPDIR=" + dir, "PIP_INDEX_URL=http://user.setting/simple"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("pip was called without %s", want)
		}
	}
	if strings.Contains(string(text), "--index-url") {
		t.Error("pip was given an index")
	}
	if have.Load() != int64(len(text)) {
		t.Errorf("told of %d bytes, want %d", have.Load(), len(text))
	}
}

func TestDownloadErrors(t *testing.T) {
	install(t)
	p := Pip{Command: []string{"pip"}}
	for requirement, want := range map[string]string{
		"absent==1": "absent==1: exit status 1: ERROR: No matching distribution found for absent==1",
		"full==1":   "full==1: exit status 1: OSError: [Errno 28] No space left on device",
		"twice==1":  "2 wheels",
	} {
		if _, err := p.Download(t.Context(), requirement, t.TempDir(), func(int64) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Download(ctx, "good==1", t.TempDir(), func(int64) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestWatchNoticesAStall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		stalled := make(chan struct{}, 1000)
		stop := watch(dir, func(int64) {}, func() { stalled <- struct{}{} })
		<-stalled
		stop()
		if took := time.Since(began); took < stallLimit || took > stallLimit+2*pollEvery {
			t.Errorf("noticed after %v, want %v", took, stallLimit)
		}
	})
}
