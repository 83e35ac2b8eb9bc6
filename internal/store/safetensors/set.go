package safetensors

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	tensors  map[string]tensor
	names    []string
	metadata map[string]string
	files    []*mapping
}

var _ model.Tensors = (*Set)(nil)

// tensor is a tensor with the file that its data lies in.
type tensor struct {
	model.Tensor
	file *mapping
}

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
	s := &Set{tensors: map[string]tensor{}, metadata: map[string]string{}}
	for _, path := range paths {
		m, err := openMapping(path)
		if err != nil {
			return nil, closeAfter(s, err)
		}
		s.files = append(s.files, m)
		if err := s.add(path, m); err != nil {
			return nil, closeAfter(s, err)
		}
	}
	s.names = slices.Sorted(maps.Keys(s.tensors))
	return s, nil
}

// add checks one file and takes its tensors in.
func (s *Set) add(name string, m *mapping) error {
	h, err := parseHeader(m.data)
	if err != nil {
		f := asFault(err)
		f.File = name
		return f
	}
	for _, e := range h.entries {
		if _, twice := s.tensors[e.name]; twice {
			return &FormatError{File: name, Tensor: e.name, Reason: "also in another shard"}
		}
		data := m.data[h.start+e.begin : h.start+e.end : h.start+e.end]
		s.tensors[e.name] = tensor{model.Tensor{DType: e.dtype, Shape: e.shape, Data: data}, m}
	}
	maps.Copy(s.metadata, h.metadata)
	return nil
}

// Tensor returns the tensor of that exact name. Its data is valid until Close.
// Of a file that was shortened since it was mapped no tensor is given, and the
// log says so: the pages that are gone must not be read.
func (s *Set) Tensor(name string) (model.Tensor, bool) {
	t, ok := s.tensors[name]
	if !ok {
		return model.Tensor{}, false
	}
	if err := t.file.check(); err != nil {
		slog.Error("checkpoint cannot be read any more", "tensor", name, "cause", err)
		return model.Tensor{}, false
	}
	return t.Tensor, true
}

// Names lists the tensors in lexical order.
func (s *Set) Names() []string { return s.names }

// Metadata returns the "__metadata__" of the files, for instance {"format": "pt"}.
func (s *Set) Metadata() map[string]string { return s.metadata }

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
