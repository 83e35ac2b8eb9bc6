package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/store/hfcache"
)

// The states of a checked file.
const (
	StateOK      = "ok"
	StateDiffers = "differs"
	StateMissing = "missing"
	StateUnknown = "unknown" // nothing says what its hash should be
)

// FileCheck is what the check of one file found.
type FileCheck struct {
	Path  string `json:"path"`
	State string `json:"state"`
	Hash  string `json:"hash,omitempty"` // what it is: SHA-256, or git's blob id where only that is known
	Want  string `json:"want,omitempty"` // what it should be
}

// Verification is the check of one repository.
type Verification struct {
	Name     string      `json:"name"`
	Revision string      `json:"revision,omitempty"`
	Dir      string      `json:"dir"`
	Files    []FileCheck `json:"files"`
}

// Bad lists the files that differ or are missing.
func (v *Verification) Bad() []FileCheck {
	return slices.DeleteFunc(slices.Clone(v.Files), func(f FileCheck) bool { return f.State == StateOK || f.State == StateUnknown })
}

// Verify reads every file of a model that is on this machine and compares its
// hash with the one recorded when it was fetched, or with the name of its blob
// in the cache. It touches no network.
func (s *Store) Verify(ctx context.Context, name string) (*Verification, error) {
	if isFolder(name) {
		r, err := openFolder(name)
		if err != nil {
			return nil, err
		}
		return verifyFolder(ctx, r, nil)
	}
	repo, commit, err := s.find(name)
	if err != nil {
		return nil, err
	}
	record, err := s.readRecord(repo.Name, commit)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return verifyFolder(ctx, &Repository{repo.Name, commit, repo.Snapshot(commit)}, wantedHashes(repo, commit, record))
}

// find locates a model's snapshot in the caches, complete or not.
func (s *Store) find(name string) (hfcache.Repo, string, error) {
	ref, err := ParseName(name)
	if err != nil {
		return hfcache.Repo{}, "", err
	}
	for _, cache := range s.cachesFor(ref) {
		repo := cache.Model(ref.Name)
		commit, err := repo.Commit(ref.Revision)
		if err != nil {
			return repo, "", err
		}
		if info, err := os.Stat(repo.Snapshot(commit)); commit != "" && err == nil && info.IsDir() {
			return repo, commit, nil
		}
	}
	return hfcache.Repo{}, "", s.notCached(ref)
}

func (s *Store) notCached(ref Reference) error {
	_, places, err := s.cached(ref)
	if err != nil {
		return err
	}
	return &MissingError{ref.String(), places, ErrNotCached}
}

// wantedHashes collects what a snapshot's files should be, by path.
func wantedHashes(repo hfcache.Repo, commit string, record *Record) map[string]string {
	want := map[string]string{}
	files, _ := repo.Files(commit)
	for _, path := range files {
		want[path] = repo.BlobOf(commit, path)
	}
	if record != nil {
		for path, f := range record.Files {
			want[path] = f.SHA256
		}
	}
	return want
}

// verifyFolder checks the files of a folder, and those that should be there.
func verifyFolder(ctx context.Context, r *Repository, want map[string]string) (*Verification, error) {
	v := &Verification{Name: r.Name, Revision: r.Revision, Dir: r.Dir}
	paths, err := hfcache.ListFiles(r.Dir)
	if err != nil {
		return nil, err
	}
	for path := range want {
		if !slices.Contains(paths, path) {
			v.Files = append(v.Files, FileCheck{Path: path, State: StateMissing, Want: want[path]})
		}
	}
	for _, path := range paths {
		check, err := checkFile(ctx, r.Dir, path, want[path])
		if err != nil {
			return nil, err
		}
		v.Files = append(v.Files, check)
	}
	slices.SortFunc(v.Files, func(a, b FileCheck) int { return strings.Compare(a.Path, b.Path) })
	return v, nil
}

func checkFile(ctx context.Context, dir, path, want string) (FileCheck, error) {
	got, err := hfcache.HashFile(ctx, filepath.Join(dir, filepath.FromSlash(path)), want)
	if err != nil {
		return FileCheck{}, fmt.Errorf("%s: %w", path, err)
	}
	check := FileCheck{Path: path, State: StateOK, Hash: got, Want: want}
	switch {
	case want == "":
		check.State = StateUnknown
	case got != want:
		check.State = StateDiffers
	}
	return check, nil
}
