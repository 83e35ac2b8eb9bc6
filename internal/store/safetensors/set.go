package safetensors

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/paceline/paceline/internal/model"
)

// The names under which a checkpoint lies in a folder.
const (
	SingleFile = "model.safetensors"
	IndexFile  = "model.safetensors.index.json"
)

// Set is an open checkpoint of one file or of several shards. It implements
// model.Tensors and may be read from many goroutines.
type Set struct {
	tensors  map[string]model.Tensor
	names    []string
	metadata map[string]string
	files    []*mapping
}

var _ model.Tensors = (*Set)(nil)

// OpenDir opens the checkpoint in a folder: model.safetensors, or else the
// shards of model.safetensors.index.json. Without either the error wraps
// os.ErrNotExist.
func OpenDir(dir string) (*Set, error) {
	s, err := Open(filepath.Join(dir, SingleFile))
	if !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	index := filepath.Join(dir, IndexFile)
	shards, err := ReadIndex(index)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: neither %s nor %s: %w", dir, SingleFile, IndexFile, os.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	return openShards(index, shards)
}

// Open opens the files as one checkpoint. A tensor in two of them is an error.
func Open(paths ...string) (*Set, error) {
	s := newSet()
	for _, path := range paths {
		m, err := openMapping(path)
		if err != nil {
			return nil, closeAfter(s, err)
		}
		s.files = append(s.files, m)
		if err := s.add(path, m.data); err != nil {
			return nil, closeAfter(s, err)
		}
	}
	s.names = slices.Sorted(maps.Keys(s.tensors))
	return s, nil
}

// Parse reads a whole file that is already in memory; name stands in errors.
// The tensors share the file's bytes.
func Parse(name string, file []byte) (*Set, error) {
	s := newSet()
	if err := s.add(name, file); err != nil {
		return nil, err
	}
	s.names = slices.Sorted(maps.Keys(s.tensors))
	return s, nil
}

func newSet() *Set {
	return &Set{tensors: map[string]model.Tensor{}, metadata: map[string]string{}}
}

// add checks one file and takes its tensors in.
func (s *Set) add(name string, file []byte) error {
	h, err := parseHeader(file)
	if err != nil {
		f := asFault(err)
		f.File = name
		return f
	}
	for _, e := range h.entries {
		if _, twice := s.tensors[e.name]; twice {
			return &FormatError{File: name, Tensor: e.name, Reason: "also in another shard"}
		}
		data := file[h.start+e.begin : h.start+e.end : h.start+e.end]
		s.tensors[e.name] = model.Tensor{DType: e.dtype, Shape: e.shape, Data: data}
	}
	maps.Copy(s.metadata, h.metadata)
	return nil
}

// Tensor returns the tensor of that exact name. Its data is valid until Close.
func (s *Set) Tensor(name string) (model.Tensor, bool) {
	t, ok := s.tensors[name]
	return t, ok
}

// Names lists the tensors in lexical order.
func (s *Set) Names() []string { return s.names }

// Metadata returns the "__metadata__" of the files, for instance {"format": "pt"}.
func (s *Set) Metadata() map[string]string { return s.metadata }

// Check reports a file that was shortened since it was mapped, whose missing
// pages must not be read.
func (s *Set) Check() error {
	for _, m := range s.files {
		if err := m.check(); err != nil {
			return err
		}
	}
	return nil
}

// Close unmaps the files. No tensor's data may be read afterwards.
func (s *Set) Close() error {
	var all []error
	for _, m := range s.files {
		all = append(all, m.Close())
	}
	s.files, s.tensors, s.names = nil, nil, nil
	return errors.Join(all...)
}

// closeAfter closes what a failed open holds; the first error is the one to tell.
func closeAfter(c io.Closer, err error) error {
	_ = c.Close()
	return err
}
