package hfcache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const modelPrefix = "models--"

// Cache is a cache folder, which need not exist yet.
type Cache struct{ Root string }

// Repo is a model's folder in the cache.
type Repo struct {
	Name  string // org/name
	cache Cache
}

// Model names a model's folder. The name has been checked with hub.ValidName.
func (c Cache) Model(name string) Repo { return Repo{name, c} }

// Models lists the models that have a folder in the cache. A cache that does not
// exist has none.
func (c Cache) Models() ([]Repo, error) {
	entries, err := os.ReadDir(c.Root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var repos []Repo
	for _, e := range entries {
		if folder, ok := strings.CutPrefix(e.Name(), modelPrefix); ok && e.IsDir() {
			repos = append(repos, c.Model(strings.ReplaceAll(folder, "--", "/")))
		}
	}
	return repos, err
}

func (r Repo) folder() string { return modelPrefix + strings.ReplaceAll(r.Name, "/", "--") }

// Dir is the repository's folder.
func (r Repo) Dir() string { return filepath.Join(r.cache.Root, r.folder()) }

// Snapshot is the folder of a commit's files.
func (r Repo) Snapshot(commit string) string { return filepath.Join(r.Dir(), "snapshots", commit) }

// Snapshots lists the commits that have a folder.
func (r Repo) Snapshots() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(r.Dir(), "snapshots"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var commits []string
	for _, e := range entries {
		if e.IsDir() {
			commits = append(commits, e.Name())
		}
	}
	return commits, err
}

// refFile is where a branch's or tag's commit is noted; it errs on a name that
// would leave the folder.
func (r Repo) refFile(ref string) (string, error) {
	path := filepath.FromSlash(ref)
	if !filepath.IsLocal(path) {
		return "", fmt.Errorf("revision %q is not a branch, tag or commit", ref)
	}
	return filepath.Join(r.Dir(), "refs", path), nil
}

// Commit resolves a revision to a commit by what the cache knows; "" when it
// does not know it.
func (r Repo) Commit(revision string) (string, error) {
	if info, err := os.Stat(r.Snapshot(revision)); err == nil && info.IsDir() && filepath.IsLocal(revision) {
		return revision, nil
	}
	file, err := r.refFile(revision)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", nil
	}
	commit := strings.TrimSpace(string(text))
	if !filepath.IsLocal(commit) || strings.ContainsAny(commit, `/\`) {
		return "", fmt.Errorf("%s: holds %.60q, which is no commit", file, commit)
	}
	return commit, nil
}

// SetRef notes that a branch or tag is at a commit.
func (r Repo) SetRef(ref, commit string) error {
	file, err := r.refFile(ref)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(file); err == nil && string(old) == commit {
		return nil
	}
	return writeAside(file, []byte(commit))
}

// Refs lists the branches and tags the cache knows, with their commits.
func (r Repo) Refs() map[string]string {
	refs := map[string]string{}
	root := filepath.Join(r.Dir(), "refs")
	_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // an unreadable ref is no ref
		}
		if text, err := os.ReadFile(path); err == nil {
			name, _ := filepath.Rel(root, path)
			refs[filepath.ToSlash(name)] = strings.TrimSpace(string(text))
		}
		return nil
	})
	return refs
}

// KnownAbsent tells whether the cache knows that a file does not exist at a commit.
func (r Repo) KnownAbsent(commit, path string) bool {
	_, err := os.Stat(filepath.Join(r.Dir(), ".no_exist", commit, filepath.FromSlash(path)))
	return err == nil
}

// SetAbsent notes that a file does not exist at a commit.
func (r Repo) SetAbsent(commit, path string) error {
	return writeAside(filepath.Join(r.Dir(), ".no_exist", commit, filepath.FromSlash(path)), nil)
}

var blobPattern = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// Blob is the path of the content with that hash.
func (r Repo) Blob(hash string) string { return filepath.Join(r.Dir(), "blobs", hash) }

// BlobOf is the hash under which a snapshot's file is stored, or "" for a file
// that is no link into the blobs (as on systems without links).
func (r Repo) BlobOf(commit, path string) string {
	target, err := os.Readlink(filepath.Join(r.Snapshot(commit), filepath.FromSlash(path)))
	if err != nil || !blobPattern.MatchString(filepath.Base(target)) {
		return ""
	}
	return filepath.Base(target)
}

// Files lists the files of a snapshot that can be read, in lexical order. A link
// whose blob is gone is not listed.
func (r Repo) Files(commit string) ([]string, error) { return ListFiles(r.Snapshot(commit)) }

// ListFiles lists the readable files below a folder by their slash-separated paths.
func ListFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return nil
		}
		name, err := filepath.Rel(dir, path)
		files = append(files, filepath.ToSlash(name))
		return err
	})
	slices.Sort(files)
	return files, err
}

// writeAside writes a small file so that readers see all of it or nothing.
func writeAside(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".paceline-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
