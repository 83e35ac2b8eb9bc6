package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// magic is the pickle of the number that files before PyTorch 1.6 begin with.
const magic = "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."

// isStream tells whether the file is of the old format.
func isStream(r io.ReaderAt) bool {
	head := make([]byte, len(magic))
	_, err := r.ReadAt(head, 0)
	return err == nil && string(head) == magic
}

// stream is a file of the old format: five pickles one after another, the magic
// number, a version, facts about the machine, the tensors and the list of their
// storages' keys; then the storages in that list's order, each a count of 8 bytes and
// that many values.
type stream struct {
	r        io.ReaderAt
	size     int64
	storages map[string]storage
	at       map[string]int64 // where a storage's values begin
}

func readStream(r io.ReaderAt, size int64) (*Checkpoint, error) {
	head := make([]byte, min(size, maxProgram))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	s := &stream{r: r, size: size, storages: map[string]storage{}, at: map[string]int64{}}
	m := newMachine(head[len(magic):], s.storage)
	if version, err := m.run(); err != nil {
		return nil, err
	} else if version != int64(1001) {
		return nil, fmt.Errorf("%w: its version is %v; known: 1001", ErrFormat, version)
	}
	if err := checkMachine(m); err != nil {
		return nil, err
	}
	result, err := m.run()
	if err != nil {
		return nil, err
	}
	keys, err := m.run()
	if err != nil {
		return nil, err
	}
	if err := s.locate(keys, int64(len(magic)+m.at)); err != nil {
		return nil, err
	}
	return collect(result, s.open)
}

// checkMachine reads the facts about the machine that wrote the file.
func checkMachine(m *machine) error {
	facts, err := m.run()
	if err != nil {
		return err
	}
	if d, ok := facts.(*dict); ok {
		if little, _ := d.get("little_endian"); little == true {
			return nil
		}
	}
	return errors.New("the file does not say that its byte order is little")
}

// storage notes what the tensors ask for; where it lies is said behind them.
func (s *stream) storage(id any) (any, error) {
	found, err := storageOf(id)
	if err != nil {
		return nil, err
	}
	if known, ok := s.storages[found.key]; ok && known != found || found.values > s.size/int64(found.bytes) {
		return nil, fmt.Errorf("storage %q of %d values of %s in a file of %d bytes, or of two sizes", found.key, found.values, found.dtype, s.size)
	}
	s.storages[found.key] = found
	return found, nil
}

// locate finds every storage's place in the file, from byte at on.
func (s *stream) locate(keys any, at int64) error {
	l, ok := keys.(*list)
	if !ok {
		return fmt.Errorf("the storages' keys are a %T", keys)
	}
	for _, key := range l.items {
		name, _ := key.(string)
		found, ok := s.storages[name]
		if !ok {
			return fmt.Errorf("storage %q belongs to no tensor", name)
		}
		var count [8]byte
		if _, err := s.r.ReadAt(count[:], at); err != nil {
			return fmt.Errorf("storage %q: %w", name, err)
		}
		if n := binary.LittleEndian.Uint64(count[:]); n != uint64(found.values) {
			return fmt.Errorf("storage %q has %d values; %d were promised", name, n, found.values)
		}
		s.at[name] = at + 8
		if at += 8 + found.values*int64(found.bytes); at > s.size {
			return fmt.Errorf("storage %q ends at byte %d of a file of %d", name, at, s.size)
		}
	}
	if len(s.at) != len(s.storages) {
		return fmt.Errorf("%d storages of %d are in the file", len(s.at), len(s.storages))
	}
	return nil
}

func (s *stream) open(of *storage) (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(s.r, s.at[of.key], of.values*int64(of.bytes))), nil
}
