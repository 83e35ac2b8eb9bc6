package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paceline/paceline/internal/store/hfcache"
	"github.com/paceline/paceline/internal/store/hub"
)

const parallelDownloads = 4

// fromHub fetches a model from the hub into the shared cache. The snapshot and
// the ref appear only once every blob is there.
func (s *Store) fromHub(ctx context.Context, ref Reference) (*Repository, error) {
	client, err := hub.New(hub.Options{Endpoint: s.o.Endpoint, Token: s.o.Token, Transport: s.o.Transport, Logger: s.log, Wait: s.wait})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	info, err := client.Info(ctx, hub.Repo{Kind: hub.Model, Name: ref.Name, Revision: ref.Revision})
	if err != nil {
		return nil, err
	}
	needed, err := Needed(info.Files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", client.Endpoint(), err)
	}
	at := hub.Repo{Kind: hub.Model, Name: ref.Name, Revision: info.Commit}
	files, err := statAll(ctx, client, at, needed)
	if err != nil {
		return nil, err
	}
	repo := hfcache.Cache{Root: s.o.Cache}.Model(ref.Name)
	if err := s.download(ctx, client, repo, files); err != nil {
		return nil, err
	}
	record := &Record{Name: ref.Name, Revision: info.Commit, Source: client.Endpoint(), License: info.License}
	if err := s.publish(ctx, repo, ref, record, files); err != nil {
		return nil, err
	}
	return &Repository{Name: ref.Name, Revision: info.Commit, Dir: repo.Snapshot(info.Commit)}, nil
}

func statAll(ctx context.Context, client *hub.Client, at hub.Repo, paths []string) ([]hub.File, error) {
	files := make([]hub.File, len(paths))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * parallelDownloads)
	for i, path := range paths {
		group.Go(func() (err error) {
			files[i], err = client.Stat(ctx, at, path)
			return err
		})
	}
	return files, group.Wait()
}

// download makes sure that every file's blob is in the cache.
func (s *Store) download(ctx context.Context, client *hub.Client, repo hfcache.Repo, files []hub.File) error {
	absent := slices.DeleteFunc(slices.Clone(files), func(f hub.File) bool { return repo.Has(f.ETag) })
	if len(absent) == 0 {
		return nil
	}
	var total int64
	for _, f := range absent {
		total += f.Size
	}
	task := s.o.Progress.Begin(repo.Name, total)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelDownloads)
	for _, f := range absent {
		group.Go(func() error { return s.downloadOne(ctx, client, repo, f, task) })
	}
	err := group.Wait()
	task.End(err == nil)
	return err
}

func (s *Store) downloadOne(ctx context.Context, client *hub.Client, repo hfcache.Repo, f hub.File, task Task) error {
	var told int64
	advance := func(n int64) { told += n; task.Add(n) }
	err := repo.Store(ctx, f.ETag, s.waiting(f.Path), func(out *os.File) error {
		advance(-told) // a second filling starts again
		return client.Fetch(ctx, f, out, advance)
	})
	if err == nil {
		advance(f.Size - told) // another process fetched it
	}
	return err
}

// waiting says, once, that another process holds a lock.
func (s *Store) waiting(what string) func() {
	return func() { s.log.Info("waiting for another process that is downloading it", "file", what) }
}

// publish makes downloaded blobs a snapshot: links, what is known to be absent,
// our record, and last the ref that others look at first.
func (s *Store) publish(ctx context.Context, repo hfcache.Repo, ref Reference, record *Record, files []hub.File) error {
	record.Fetched = time.Now().UTC().Truncate(time.Second)
	record.Files = map[string]FileRecord{}
	modules := false
	for _, f := range files {
		if err := repo.Link(record.Revision, f.Path, f.ETag); err != nil {
			return err
		}
		sum, err := sha256Of(ctx, repo, f)
		if err != nil {
			return err
		}
		record.Files[f.Path] = FileRecord{f.Size, sum}
		modules = modules || f.Path == "modules.json"
	}
	if !modules {
		if err := repo.SetAbsent(record.Revision, "modules.json"); err != nil {
			return err
		}
	}
	if err := s.writeRecord(record); err != nil {
		return err
	}
	if hub.IsCommit(ref.Revision) {
		return nil
	}
	return repo.SetRef(ref.Revision, record.Revision)
}

// sha256Of is a stored file's SHA-256: its name for a large file, computed for a
// small one, which git names otherwise.
func sha256Of(ctx context.Context, repo hfcache.Repo, f hub.File) (string, error) {
	if len(f.ETag) == hex.EncodedLen(sha256.Size) {
		return f.ETag, nil
	}
	return hfcache.SHA256File(ctx, repo.Blob(f.ETag))
}
