//go:build unix

package safetensors

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mapping is a file in memory. The file stays open so that its size can be asked again.
type mapping struct {
	file *os.File
	data []byte
}

func openMapping(path string) (*mapping, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a FIFO must not hang us
	if err != nil {
		return nil, err
	}
	m := &mapping{file: f}
	if m.data, err = mapFile(f); err == nil {
		err = m.check()
	}
	if err != nil {
		return nil, closeAfter(m, err)
	}
	return m, nil
}

func mapFile(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", f.Name())
	}
	if info.Size() < lengthBytes {
		return nil, &FormatError{File: f.Name(), Reason: fmt.Sprintf("%d bytes; the header's length alone takes %d", info.Size(), lengthBytes)}
	}
	if info.Size() > maxInt {
		return nil, fmt.Errorf("%s: %d bytes; this system's address space ends at %d", f.Name(), info.Size(), maxInt)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: memory-map: %w", f.Name(), err)
	}
	return data, nil
}

// check reports a file that became shorter than its mapping.
func (m *mapping) check() error {
	info, err := m.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < int64(len(m.data)) {
		return fmt.Errorf("%s: shortened from %d to %d bytes while mapped", m.file.Name(), len(m.data), info.Size())
	}
	return nil
}

func (m *mapping) Close() error {
	var err error
	if m.data != nil {
		err = unix.Munmap(m.data)
		m.data = nil
	}
	if closed := m.file.Close(); err == nil {
		err = closed
	}
	return err
}
