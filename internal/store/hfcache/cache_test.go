package hfcache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Two contents and their names, by sha256sum and by git hash-object.
const (
	hello       = "hello\n"
	helloSHA256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
	helloBlobID = "ce013625030ba8dba906f756967f9e9ca394464a"
	commit      = "0123456789abcdef0123456789abcdef01234567"
)

func never() { panic("waited for a lock that nobody has") }

func newRepo(t *testing.T) Repo {
	t.Helper()
	return Cache{filepath.Join(t.TempDir(), "hub")}.Model("org/name")
}

func fill(content string) func(*os.File) error {
	return func(f *os.File) error {
		_, err := f.WriteString(content)
		return err
	}
}

func TestHashes(t *testing.T) {
	t.Parallel()
	if got := SHA256([]byte(hello)); got != helloSHA256 {
		t.Errorf("SHA256 = %s", got)
	}
	if got := BlobID([]byte(hello)); got != helloBlobID {
		t.Errorf("BlobID = %s", got)
	}
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte(hello), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{helloSHA256, helloBlobID} {
		if got, err := HashFile(t.Context(), path, want); err != nil || got != want {
			t.Errorf("HashFile = %s, %v; want %s", got, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := SHA256File(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled hash: %v", err)
	}
}

func TestStoreAndLink(t *testing.T) {
	t.Parallel()
	for _, hash := range []string{helloSHA256, helloBlobID} {
		r := newRepo(t)
		for range 2 { // the second time it is there
			if err := r.Store(t.Context(), hash, never, fill(hello)); err != nil {
				t.Fatal(err)
			}
			if err := r.Link(commit, "a/b.txt", hash); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := os.ReadFile(filepath.Join(r.Snapshot(commit), "a", "b.txt")); string(text) != hello {
			t.Errorf("read %q, %v", text, err)
		}
		if got := r.BlobOf(commit, "a/b.txt"); got != hash {
			t.Errorf("BlobOf = %q, want %q", got, hash)
		}
		if files, err := r.Files(commit); err != nil || !slices.Equal(files, []string{"a/b.txt"}) {
			t.Errorf("Files = %v, %v", files, err)
		}
	}
}

func TestStoreNamesNothingWrong(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	var mismatch *HashError
	if err := r.Store(t.Context(), helloSHA256, never, fill("other")); !errors.As(err, &mismatch) {
		t.Errorf("error %v, want a *HashError", err)
	}
	broken := errors.New("connection lost")
	half := func(f *os.File) error { return errors.Join(fill("hel")(f), broken) }
	if err := r.Store(t.Context(), helloSHA256, never, half); !errors.Is(err, broken) {
		t.Errorf("error %v, want the fill's", err)
	}
	if _, err := os.Stat(r.Blob(helloSHA256)); err == nil {
		t.Fatal("a blob got its name without its content")
	}
	rest := func(f *os.File) error { // what the first half left is there to be completed
		info, err := f.Stat()
		if err != nil || info.Size() != 3 {
			t.Errorf("found %d bytes, %v; want 3", info.Size(), err)
		}
		_, err = f.WriteAt([]byte("lo\n"), 3)
		return err
	}
	if err := r.Store(t.Context(), helloSHA256, never, rest); err != nil {
		t.Error(err)
	}
	for _, hash := range []string{"", "../x", helloSHA256 + "0", strings.ToUpper(helloSHA256)} {
		if err := r.Store(t.Context(), hash, never, fill(hello)); err == nil {
			t.Errorf("%q is taken for a hash", hash)
		}
	}
}

func TestLockExcludes(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	unlock, err := r.Lock(t.Context(), "x", never)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	waited := 0
	if _, err := r.Lock(ctx, "x", func() { waited++; cancel() }); !errors.Is(err, context.Canceled) || waited != 1 {
		t.Errorf("a second lock: %v after waiting %d times", err, waited)
	}
	other, err := r.Lock(t.Context(), "y", never)
	if err != nil {
		t.Fatal(err)
	}
	other()
	again, err := r.Lock(t.Context(), "x", unlock) // given up by the waiting itself
	if err != nil {
		t.Fatal(err)
	}
	again()
}

// TestLockOfARemovedFile: whoever removes the lock file gives no lock away to two.
func TestLockOfARemovedFile(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	unlock, err := r.Lock(t.Context(), "x", never)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	path := filepath.Join(r.lockDir(), "x.lock")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second, err := r.Lock(t.Context(), "x", never) // a new file: by Python's rule too, a new lock
	if err != nil {
		t.Fatal(err)
	}
	second()
}

func TestRefs(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	for _, ref := range []string{"main", "refs/pr/1"} {
		if err := r.SetRef(ref, commit); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Commit(ref); err != nil || got != commit {
			t.Errorf("Commit(%q) = %q, %v", ref, got, err)
		}
	}
	if refs := r.Refs(); len(refs) != 2 || refs["refs/pr/1"] != commit {
		t.Errorf("Refs = %v", refs)
	}
	if got, err := r.Commit("v1"); got != "" || err != nil {
		t.Errorf("an unknown ref: %q, %v", got, err)
	}
	for _, ref := range []string{"../x", "/x", ""} {
		if _, err := r.Commit(ref); err == nil {
			t.Errorf("Commit(%q) leaves the folder", ref)
		}
		if err := r.SetRef(ref, commit); err == nil {
			t.Errorf("SetRef(%q) leaves the folder", ref)
		}
	}
	for _, evil := range []string{"../../x", "/etc", "a/b"} {
		if err := r.SetRef("evil", evil); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Commit("evil"); err == nil {
			t.Errorf("a ref that holds %q is taken as %q", evil, got)
		}
	}
}

func TestAbsent(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	if r.KnownAbsent(commit, "modules.json") {
		t.Error("known before it was said")
	}
	if err := r.SetAbsent(commit, "modules.json"); err != nil || !r.KnownAbsent(commit, "modules.json") {
		t.Errorf("not known after it was said: %v", err)
	}
}

func TestModels(t *testing.T) {
	t.Parallel()
	c := Cache{filepath.Join(t.TempDir(), "hub")}
	if repos, err := c.Models(); len(repos) != 0 || err != nil {
		t.Errorf("of a cache that does not exist: %v, %v", repos, err)
	}
	for _, folder := range []string{"models--org--a", "models--b", "datasets--org--d", ".locks"} {
		if err := os.MkdirAll(filepath.Join(c.Root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	repos, err := c.Models()
	var names []string
	for _, r := range repos {
		names = append(names, r.Name)
	}
	if err != nil || !slices.Equal(names, []string{"b", "org/a"}) {
		t.Errorf("Models = %v, %v", names, err)
	}
}

func TestRemoveDoesNotFollowLinks(t *testing.T) {
	t.Parallel()
	r := newRepo(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, helloSHA256), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(r.Snapshot(commit), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"folder": outside, "file": filepath.Join(outside, helloSHA256)} {
		if err := os.Symlink(target, filepath.Join(r.Snapshot(commit), name)); err != nil {
			t.Skipf("no links here: %v", err)
		}
	}
	if err := os.MkdirAll(r.Snapshot("kept"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Remove(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(outside, helloSHA256)); err != nil {
		t.Errorf("a file outside of the cache is gone: %v", err)
	}
}
