package assemble

import (
	"errors"
	"math"

	"github.com/paceline/paceline/internal/model"
	"github.com/paceline/paceline/internal/pipeline"
	"github.com/paceline/paceline/internal/store"
)

// Shape is what one can say of a model without running it.
type Shape struct {
	Family    string
	Dim       int // values in an embedding
	MaxTokens int // of one text, special tokens included; 0 for no limit
}

// Describe reads a folder's configuration and the headers of its weights.
func Describe(dir string) (s Shape, err error) {
	repo := &store.Repository{Name: dir, Dir: dir}
	files := newRecorder(repo.FS())
	modules, err := model.ReadModules(files)
	if err != nil {
		return s, err
	}
	tensors, err := openTensors(repo, files, modules)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, tensors.Close()) }()
	spec, err := model.Read(files, tensors)
	if err != nil {
		return s, err
	}
	p, err := pipeline.Read(files, nil, spec) // nothing is made of text
	if err != nil {
		return s, err
	}
	s = Shape{Family: spec.Family, Dim: p.Dim(), MaxTokens: p.MaxTokens()}
	if s.MaxTokens == math.MaxInt {
		s.MaxTokens = 0
	}
	return s, nil
}
