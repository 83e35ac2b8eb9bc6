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

// ErrFormat marks a file that is no archive of torch.save's present format.
var ErrFormat = errors.New("not a checkpoint of PyTorch 1.6 or later")

// Checkpoint is the tensors of one archive. Their bytes stay in the file.
type Checkpoint struct {
	size    int64
	entries map[string]*zip.File // by path inside the archive's folder
	tensors map[string]tensor
}

// Read reads the names and shapes of an archive of size bytes. r is read again by
// WriteSafetensors.
func Read(r io.ReaderAt, size int64) (*Checkpoint, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w (%w): load it in Python and save it with safetensors", ErrFormat, err)
	}
	c := &Checkpoint{size: size}
	if err := c.index(archive); err != nil {
		return nil, err
	}
	program, err := c.program()
	if err != nil {
		return nil, err
	}
	result, err := run(program, c.storage)
	if err != nil {
		return nil, err
	}
	return c, c.collect(result)
}

// index finds the folder that holds data.pkl, and what is in it.
func (c *Checkpoint) index(archive *zip.Reader) error {
	at := slices.IndexFunc(archive.File, func(f *zip.File) bool { return f.Name == "data.pkl" || strings.HasSuffix(f.Name, "/data.pkl") })
	if at < 0 {
		return fmt.Errorf("%w: the archive has no data.pkl", ErrFormat)
	}
	folder := strings.TrimSuffix(archive.File[at].Name, "data.pkl")
	c.entries = map[string]*zip.File{}
	for _, f := range archive.File {
		if name, ok := strings.CutPrefix(f.Name, folder); ok {
			c.entries[name] = f
		}
	}
	if f, ok := c.entries["byteorder"]; ok {
		order, err := readAll(f, 16)
		if err != nil || string(order) != "little" {
			return fmt.Errorf("the archive's byte order is %q, %v; known: little", order, err)
		}
	}
	return nil
}

func (c *Checkpoint) program() ([]byte, error) { return readAll(c.entries["data.pkl"], maxProgram) }

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

// storage resolves ("storage", type, key, location, values). Entries must lie
// uncompressed in the file, as torch writes them: then none is larger than the file.
func (c *Checkpoint) storage(id any) (any, error) {
	t, ok := id.(tuple)
	if !ok || len(t) != 5 || t[0] != "storage" {
		return nil, fmt.Errorf("a persistent id that is no storage")
	}
	class, okClass := t[1].(storageType)
	key, okKey := t[2].(string)
	values, okValues := t[4].(int64)
	if !okClass || !okKey || !okValues {
		return nil, fmt.Errorf("a storage of %T, %T and %T", t[1], t[2], t[4])
	}
	f, ok := c.entries["data/"+key]
	if !ok {
		return nil, fmt.Errorf("the archive has no storage %q", key)
	}
	if err := c.checkEntry(f); err != nil {
		return nil, fmt.Errorf("storage %q: %w", key, err)
	}
	if values < 0 || uint64(values) > f.UncompressedSize64/uint64(class.bytes) {
		return nil, fmt.Errorf("storage %q has %d bytes; %d values of %s were promised", key, f.UncompressedSize64, values, class.dtype)
	}
	return storage{class, key, values}, nil
}

// checkEntry holds what the archive's directory says against the file.
func (c *Checkpoint) checkEntry(f *zip.File) error {
	if f.Method != zip.Store {
		return errors.New("it is compressed")
	}
	at, err := f.DataOffset()
	if err == nil && (at > c.size || f.UncompressedSize64 > uint64(c.size-at)) {
		err = fmt.Errorf("%d bytes at byte %d of a file of %d", f.UncompressedSize64, at, c.size)
	}
	return err
}

// collect takes the tensors out of a state dictionary, or out of one that a training
// script has put under "state_dict".
func (c *Checkpoint) collect(result any) error {
	d, ok := result.(*dict)
	if !ok {
		return fmt.Errorf("the pickle holds a %T, not a dictionary of tensors", result)
	}
	if inner, ok := d.get("state_dict"); ok {
		if d, ok = inner.(*dict); !ok {
			return fmt.Errorf("state_dict is a %T, not a dictionary of tensors", inner)
		}
	}
	c.tensors = map[string]tensor{}
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
		return errors.New("the pickle's dictionary holds no tensors")
	}
	return nil
}

// Names lists the tensors in lexical order.
func (c *Checkpoint) Names() []string { return slices.Sorted(maps.Keys(c.tensors)) }
