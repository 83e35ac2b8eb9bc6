package store

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/paceline/paceline/internal/store/hfcache"
	"github.com/paceline/paceline/internal/store/safetensors"
)

// Entry is one line of `models list`: a snapshot on this machine, or a known
// model that is not here.
type Entry struct {
	Name     string   `json:"name"`
	Revision string   `json:"revision,omitempty"` // empty: not on this machine
	Refs     []string `json:"refs,omitempty"`     // branches and tags that are at the revision
	Bytes    int64    `json:"bytes,omitempty"`
	Shape
	License string   `json:"license,omitempty"`
	Dir     string   `json:"dir,omitempty"`
	Source  string   `json:"source,omitempty"`  // where it came from, if we fetched it
	Missing []string `json:"missing,omitempty"` // what it lacks to be used
	Package string   `json:"package,omitempty"` // a package that carries it, for what is not here
}

// Shape is what the list tells of a model beside its files. The store knows it of
// known models alone; of others it takes a reader of what the files mean.
type Shape struct {
	Family    string `json:"family,omitempty"`
	Dim       int    `json:"dim,omitempty"`        // values in a vector
	MaxTokens int    `json:"max_tokens,omitempty"` // of one text
}

// List tells which models are on this machine, usable or not, and then which
// known ones are not. Folders of models that have no safetensors at all, such as
// other programs' GGUF files, are left out.
func (s *Store) List() ([]Entry, error) {
	var entries []Entry
	here := map[string]bool{}
	for _, cache := range s.o.caches() {
		repos, err := cache.Models()
		if err != nil {
			return nil, err
		}
		for _, repo := range repos {
			found, err := s.entries(repo)
			if err != nil {
				return nil, err
			}
			here[repo.Name] = here[repo.Name] || len(found) > 0
			entries = append(entries, found...)
		}
	}
	for _, k := range s.known {
		if here[k.Name] {
			continue
		}
		e := Entry{Name: k.Name, License: k.License, Shape: k.Shape}
		if k.Package != nil {
			e.Package = k.Package.Wheels[0]
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func (s *Store) entries(repo hfcache.Repo) ([]Entry, error) {
	commits, err := repo.Snapshots()
	if err != nil {
		return nil, err
	}
	refs := repo.Refs()
	var entries []Entry
	for _, commit := range commits {
		files, err := repo.Files(commit)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(files, isCheckpoint) {
			continue
		}
		e, err := s.entry(repo, commit)
		if err != nil {
			return nil, err
		}
		for _, ref := range slices.Sorted(maps.Keys(refs)) {
			if refs[ref] == commit {
				e.Refs = append(e.Refs, ref)
			}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func isCheckpoint(path string) bool {
	return filepath.Ext(path) == ".safetensors" || path == safetensors.IndexFile
}

func (s *Store) entry(repo hfcache.Repo, commit string) (Entry, error) {
	size, err := repo.Size(commit)
	if err != nil {
		return Entry{}, fmt.Errorf("%s: %w", repo.Name, err)
	}
	e := Entry{Name: repo.Name, Revision: commit, Bytes: size, Dir: repo.Snapshot(commit), Missing: s.lacking(repo, commit)}
	if k := s.findKnown(repo.Name); k != nil {
		e.License, e.Shape = k.License, k.Shape
	}
	if record, err := s.readRecord(repo.Name, commit); err == nil {
		e.Source = record.Source
		if record.License != "" {
			e.License = record.License
		}
	}
	return e, nil
}
