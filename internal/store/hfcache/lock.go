package hfcache

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// pollLock is how often a lock that another process has is tried again; flock
// itself cannot wait with a deadline.
const pollLock = 50 * time.Millisecond

// Lock takes the lock of that name in the repository's lock folder, the place
// where the Python client takes it too. waiting is called once when another
// process has it. The lock ends with the process that holds it.
func (r Repo) Lock(ctx context.Context, name string, waiting func()) (unlock func(), err error) {
	path := filepath.Join(r.lockDir(), name+".lock")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	for tries := 0; ; tries++ {
		f, err := tryLock(path)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if f != nil {
			return func() { unlockFile(f) }, nil
		}
		if tries == 0 {
			waiting()
		}
		if err := sleep(ctx, pollLock); err != nil {
			return nil, err
		}
	}
}

func (r Repo) lockDir() string { return filepath.Join(r.cache.Root, ".locks", r.folder()) }

// tryLock returns nil when another process has the lock. A lock file that was
// removed or replaced between opening and locking does not count.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	held, err := flock(f)
	if err != nil || !held {
		_ = f.Close()
		return nil, err
	}
	mine, err := f.Stat()
	there, thereErr := os.Stat(path)
	if err != nil || thereErr != nil || !os.SameFile(mine, there) {
		unlockFile(f)
		return nil, nil
	}
	return f, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
