package pickle

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxProgram bounds the pickle itself, which holds names and shapes alone.
const maxProgram = 64 << 20

// ErrFormat marks a file of neither of torch.save's two formats.
var ErrFormat = errors.New("not a checkpoint of PyTorch")

// Checkpoint is the tensors of one file. Their bytes stay in it.
type Checkpoint struct {
	tensors map[string]tensor
	open    func(s *storage) (io.ReadCloser, error) // the bytes of a storage
}

// Read reads the names and shapes of a file of size bytes. r is read again by
// WriteSafetensors.
func Read(r io.ReaderAt, size int64) (*Checkpoint, error) {
	if isStream(r) {
		return readStream(r, size)
	}
	files, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	a := &archive{size: size}
	if err := a.index(files); err != nil {
		return nil, err
	}
	program, err := readAll(a.entries["data.pkl"], maxProgram)
	if err != nil {
		return nil, err
	}
	m := newMachine(program, a.storage)
	result, err := m.run()
	if err != nil {
		return nil, err
	}
	return collect(result, a.open)
}

// archive is a file of PyTorch 1.6 and later.
type archive struct {
	size    int64
	entries map[string]*zip.File // by path inside the archive's folder
}

// index finds the folder that holds data.pkl, and what is in it.
func (a *archive) index(files *zip.Reader) error {
	at := slices.IndexFunc(files.File, func(f *zip.File) bool { return f.Name == "data.pkl" || strings.HasSuffix(f.Name, "/data.pkl") })
	if at < 0 {
		return fmt.Errorf("%w: the archive has no data.pkl", ErrFormat)
	}
	folder := strings.TrimSuffix(files.File[at].Name, "data.pkl")
	a.entries = map[string]*zip.File{}
	for _, f := range files.File {
		if name, ok := strings.CutPrefix(f.Name, folder); ok {
			a.entries[name] = f
		}
	}
	if f, ok := a.entries["byteorder"]; ok {
		order, err := readAll(f, 16)
		if err != nil || string(order) != "little" {
			return fmt.Errorf("the archive's byte order is %q, %v; known: little", order, err)
		}
	}
	return nil
}

// readAll reads a small entry.
func readAll(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("larger than %d bytes", limit)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	return data, nil
}

// storage resolves a persistent id. Entries must lie uncompressed in the file, as
// torch writes them: then none is larger than the file.
func (a *archive) storage(id any) (any, error) {
	s, err := storageOf(id)
	if err != nil {
		return nil, err
	}
	f, ok := a.entries["data/"+s.key]
	if !ok {
		return nil, fmt.Errorf("the archive has no storage %q", s.key)
	}
	if err := a.checkEntry(f); err != nil {
		return nil, fmt.Errorf("storage %q: %w", s.key, err)
	}
	if uint64(s.values) > f.UncompressedSize64/uint64(s.bytes) {
		return nil, fmt.Errorf("storage %q has %d bytes; %d values of %s were promised", s.key, f.UncompressedSize64, s.values, s.dtype)
	}
	return s, nil
}

// storageOf reads ("storage", type, key, location, values), behind which the oldest
// files have None.
func storageOf(id any) (storage, error) {
	t, ok := id.(tuple)
	if !ok || len(t) < 5 || len(t) > 6 || t[0] != "storage" || len(t) == 6 && t[5] != nil {
		return storage{}, errors.New("a persistent id that is no storage")
	}
	class, okClass := t[1].(storageType)
	key, okKey := t[2].(string)
	values, okValues := t[4].(int64)
	if !okClass || !okKey || !okValues || values < 0 {
		return storage{}, fmt.Errorf("a storage of %T, %T and %T", t[1], t[2], t[4])
	}
	return storage{class, key, values}, nil
}

func (a *archive) open(s *storage) (io.ReadCloser, error) { return a.entries["data/"+s.key].Open() }

// checkEntry holds what the archive's directory says against the file.
func (a *archive) checkEntry(f *zip.File) error {
	if f.Method != zip.Store {
		return errors.New("it is compressed")
	}
	at, err := f.DataOffset()
	if err == nil && (at > a.size || f.UncompressedSize64 > uint64(a.size-at)) {
		err = fmt.Errorf("%d bytes at byte %d of a file of %d", f.UncompressedSize64, at, a.size)
	}
	return err
}

// collect takes the tensors out of a state dictionary, or out of one that a training
// script has put under "state_dict".
func collect(result any, open func(*storage) (io.ReadCloser, error)) (*Checkpoint, error) {
	d, ok := result.(*dict)
	if !ok {
		return nil, fmt.Errorf("the pickle holds a %T, not a dictionary of tensors", result)
	}
	if inner, ok := d.get("state_dict"); ok {
		if d, ok = inner.(*dict); !ok {
			return nil, fmt.Errorf("state_dict is a %T, not a dictionary of tensors", inner)
		}
	}
	c := &Checkpoint{tensors: map[string]tensor{}, open: open}
	for _, key := range d.keys {
		name, ok := key.(string)
		if !ok {
			continue
		}
		v, _ := d.get(name)
		if t, ok := v.(tensor); ok {
			c.tensors[name] = t
		}
	}
	if len(c.tensors) == 0 {
		return nil, errors.New("the pickle's dictionary holds no tensors")
	}
	return c, nil
}

// Names lists the tensors in lexical order.
func (c *Checkpoint) Names() []string { return slices.Sorted(maps.Keys(c.tensors)) }
