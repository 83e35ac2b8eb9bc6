package hfcache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Size is the number of bytes that a snapshot's files hold.
func (r Repo) Size(commit string) (int64, error) {
	files, err := r.Files(commit)
	var total int64
	for _, path := range files {
		info, statErr := os.Stat(filepath.Join(r.Snapshot(commit), filepath.FromSlash(path)))
		if statErr != nil {
			return total, statErr
		}
		total += info.Size()
	}
	return total, err
}

// Remove deletes the snapshots of these commits, the refs to them and the blobs
// that no other snapshot uses, and returns the bytes freed. It refuses while
// another process downloads into the repository. The last snapshot takes the
// repository's folder with it.
func (r Repo) Remove(ctx context.Context, commits ...string) (int64, error) {
	if err := r.checkQuiet(ctx); err != nil {
		return 0, err
	}
	all, err := r.Snapshots()
	if err != nil {
		return 0, err
	}
	kept := slices.DeleteFunc(all, func(c string) bool { return slices.Contains(commits, c) })
	before := diskSize(r.Dir())
	if len(kept) == 0 {
		err = errors.Join(os.RemoveAll(r.Dir()), os.RemoveAll(r.lockDir()))
		return before - diskSize(r.Dir()), err
	}
	err = r.removeSome(commits, kept)
	return before - diskSize(r.Dir()), err
}

// removeSome goes from the names to the contents, so that whoever reads
// meanwhile finds a file whole or not at all.
func (r Repo) removeSome(commits, kept []string) error {
	inUse, mine := map[string]bool{}, map[string]bool{}
	if err := errors.Join(r.collectBlobs(kept, inUse), r.collectBlobs(commits, mine)); err != nil {
		return err
	}
	var errs []error
	for ref, commit := range r.Refs() {
		if slices.Contains(commits, commit) {
			errs = append(errs, os.Remove(filepath.Join(r.Dir(), "refs", filepath.FromSlash(ref))))
		}
	}
	for _, commit := range commits {
		errs = append(errs, os.RemoveAll(r.Snapshot(commit)), os.RemoveAll(filepath.Join(r.Dir(), ".no_exist", commit)))
	}
	for blob := range mine {
		if !inUse[blob] {
			errs = append(errs, ignoreAbsent(os.Remove(r.Blob(blob))))
		}
	}
	return errors.Join(errs...)
}

// collectBlobs adds the blobs that the snapshots link to.
func (r Repo) collectBlobs(commits []string, into map[string]bool) error {
	for _, commit := range commits {
		files, err := r.Files(commit)
		if err != nil {
			return err
		}
		for _, path := range files {
			if blob := r.BlobOf(commit, path); blob != "" {
				into[blob] = true
			}
		}
	}
	return nil
}

// checkQuiet errs while somebody holds the lock of a download under way.
func (r Repo) checkQuiet(ctx context.Context) error {
	entries, err := os.ReadDir(r.lockDir())
	if err != nil {
		return ignoreAbsent(err)
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".lock")
		if !ok {
			continue
		}
		busy := false
		try, cancel := context.WithCancel(ctx)
		unlock, err := r.Lock(try, name, func() { busy = true; cancel() })
		cancel()
		switch {
		case err == nil:
			unlock()
		case busy:
			return fmt.Errorf("%s: another process is downloading into it (it holds %s); try again when it is done", r.Name, e.Name())
		default:
			return err
		}
	}
	return nil
}

// diskSize adds up what lies below a folder, links not followed.
func diskSize(dir string) int64 {
	var total int64
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone or unreadable: nothing to count
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return total
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
