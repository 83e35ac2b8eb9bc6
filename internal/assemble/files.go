package assemble

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// recorder notes which files of a repository a model was made from.
type recorder struct {
	fs.FS
	mu    sync.Mutex
	names map[string]bool
}

func newRecorder(fsys fs.FS) *recorder { return &recorder{FS: fsys, names: map[string]bool{}} }

func (r *recorder) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	if err == nil {
		r.note(name)
	}
	return f, err
}

func (r *recorder) note(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names[name] = true
}

func (r *recorder) noteAll(pattern string) {
	names, _ := fs.Glob(r.FS, pattern) // the patterns are ours
	for _, name := range names {
		r.note(name)
	}
}

func (r *recorder) has(name string) bool {
	_, err := fs.Stat(r.FS, name)
	return err == nil
}

func (r *recorder) sorted() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.names))
}

// size is the files' size together.
func (r *recorder) size() int64 {
	var sum int64
	for _, name := range r.sorted() {
		if info, err := fs.Stat(r.FS, name); err == nil {
			sum += info.Size()
		}
	}
	return sum
}

// Files reads every file that the model was made from and returns its SHA-256 in
// hexadecimal by its path in the repository. That is work in proportion to the
// weights, so it is done only when somebody asks.
func (m *Model) Files(ctx context.Context) (map[string]string, error) {
	sums := map[string]string{}
	for _, name := range m.files.sorted() {
		sum, err := sha256Of(ctx, m.files.FS, name)
		if err != nil {
			return nil, err
		}
		sums[name] = sum
	}
	return sums, nil
}

// Identity tells models apart that give different vectors: by name and revision, and
// where there is no revision, by a digest of all files.
func (m *Model) Identity(ctx context.Context) (string, error) {
	if m.Revision != "" {
		return m.Name + "@" + m.Revision, nil
	}
	sums, err := m.Files(ctx)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(hash, "%s  %s\n", sums[name], name)
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil)), nil
}

func sha256Of(ctx context.Context, fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	for {
		if err := context.Cause(ctx); err != nil {
			return "", err
		}
		if _, err := io.CopyN(hash, f, 8<<20); err == io.EOF {
			return hex.EncodeToString(hash.Sum(nil)), nil
		} else if err != nil {
			return "", err
		}
	}
}
