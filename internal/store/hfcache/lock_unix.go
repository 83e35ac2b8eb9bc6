//go:build unix && !solaris && !aix

package hfcache

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// flock takes the advisory lock that Python's filelock takes.
func flock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return err == nil, err
}

func unlockFile(f *os.File) { _ = f.Close() }
