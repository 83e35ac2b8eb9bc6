package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/paceline/paceline/internal/store/hfcache"
)

// Removal says what Remove took away.
type Removal struct {
	Name      string   `json:"name"`
	Revisions []string `json:"revisions"`
	Freed     int64    `json:"freed_bytes"`
}

// Remove deletes a model from the caches: every revision of "name", or the one of
// "name@revision". Blobs that another revision uses stay. A folder of the user's
// is refused.
func (s *Store) Remove(ctx context.Context, name string) (*Removal, error) {
	if isFolder(name) {
		return nil, fmt.Errorf("%s: a folder of yours, not one of the cache; remove it yourself", name)
	}
	ref, err := ParseName(name)
	if err != nil {
		return nil, err
	}
	removal := &Removal{Name: ref.Name, Revisions: []string{}}
	found := false
	for _, cache := range s.o.caches() {
		repo := cache.Model(ref.Name)
		commits, err := toRemove(repo, ref, strings.Contains(name, "@"))
		if err != nil {
			return removal, err
		}
		if commits == nil {
			continue
		}
		found = true
		if err := s.removeFrom(ctx, repo, commits, removal); err != nil {
			return removal, err
		}
	}
	if !found {
		return nil, s.notCached(ref)
	}
	return removal, nil
}

// toRemove lists the commits of a repository's folder that are meant; nil when
// there is nothing. A folder of nothing but broken-off downloads has no commit.
func toRemove(repo hfcache.Repo, ref Reference, one bool) ([]string, error) {
	if _, err := os.Stat(repo.Dir()); err != nil {
		return nil, nil
	}
	commits, err := repo.Snapshots()
	if err != nil || !one {
		return append([]string{}, commits...), err
	}
	commit, err := repo.Commit(ref.Revision)
	if err != nil || !slices.Contains(commits, commit) {
		return nil, err
	}
	return []string{commit}, nil
}

func (s *Store) removeFrom(ctx context.Context, repo hfcache.Repo, commits []string, removal *Removal) error {
	freed, err := repo.Remove(ctx, commits...)
	removal.Freed += freed
	if err != nil {
		return err
	}
	removal.Revisions = append(removal.Revisions, commits...)
	for _, commit := range commits {
		if err := os.Remove(s.recordFile(repo.Name, commit)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
