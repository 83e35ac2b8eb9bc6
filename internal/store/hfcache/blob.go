package hfcache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// HashError is content that is not what its hash says.
type HashError struct {
	Path, Want, Got string
}

func (e *HashError) Error() string {
	return fmt.Sprintf("%s: its hash is %s, not %s", e.Path, e.Got, e.Want)
}

// Store makes sure that the blob with that hash exists. When it does not, fill
// completes its temporary file, which holds what an earlier try left; the file
// gets its name only when its hash fits. When it does not fit, the temporary
// file is emptied and filled once more if it had been begun by an earlier try:
// then the fault may be that one's. The lock of the blob is held meanwhile;
// waiting is called once when another process has it.
func (r Repo) Store(ctx context.Context, hash string, waiting func(), fill func(*os.File) error) error {
	if !blobPattern.MatchString(hash) {
		return fmt.Errorf("%.80q is no hash", hash)
	}
	if r.Has(hash) {
		return nil
	}
	unlock, err := r.Lock(ctx, hash, waiting)
	if err != nil {
		return err
	}
	defer unlock()
	if r.Has(hash) { // by whoever had the lock
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(r.Blob(hash)), 0o755); err != nil {
		return err
	}
	return r.fillBlob(ctx, hash, fill)
}

func (r Repo) fillBlob(ctx context.Context, hash string, fill func(*os.File) error) error {
	temporary := r.Blob(hash) + ".incomplete"
	out, err := os.OpenFile(temporary, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	info, err := out.Stat()
	if err != nil {
		return err
	}
	resumed := info.Size() > 0
	err = fillAndCheck(ctx, out, hash, fill)
	var mismatch *HashError
	if resumed && errors.As(err, &mismatch) {
		err = fillAndCheck(ctx, out, hash, fill)
	}
	if err != nil {
		return err
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(temporary, r.Blob(hash))
}

// fillAndCheck leaves the file empty when the hash does not fit.
func fillAndCheck(ctx context.Context, out *os.File, hash string, fill func(*os.File) error) error {
	if err := fill(out); err != nil {
		return err
	}
	got, err := HashFile(ctx, out.Name(), hash)
	if err != nil {
		return err
	}
	if got != hash {
		return errors.Join(&HashError{out.Name(), hash, got}, out.Truncate(0))
	}
	return nil
}

// Link puts a stored blob into a commit's snapshot, by a relative link as the
// Python client does, or by a copy where there are no links.
func (r Repo) Link(commit, path, hash string) error {
	link := filepath.Join(r.Snapshot(commit), filepath.FromSlash(path))
	target, err := filepath.Rel(filepath.Dir(link), r.Blob(hash))
	if err != nil {
		return err
	}
	if old, err := os.Readlink(link); err == nil && old == target {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	aside := fmt.Sprintf("%s.paceline-%d", link, os.Getpid())
	if err := linkOrCopy(target, r.Blob(hash), aside); err != nil {
		return err
	}
	if err := os.Rename(aside, link); err != nil {
		return errors.Join(err, os.Remove(aside))
	}
	return nil
}

func linkOrCopy(target, blob, at string) error {
	err := os.Symlink(target, at)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	content, err := os.ReadFile(blob)
	if err != nil {
		return err
	}
	return os.WriteFile(at, content, 0o644)
}

// Has tells whether the blob with that hash is there.
func (r Repo) Has(hash string) bool {
	_, err := os.Stat(r.Blob(hash))
	return err == nil
}
